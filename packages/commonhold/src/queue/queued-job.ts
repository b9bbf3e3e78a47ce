import type { JobWaitOptions } from './job-wait.js';
import type { AddedJob } from './queue-port.js';

/** What became of a job that was added, and what will come of it. */
export class QueuedJob<Result> implements AddedJob {
  readonly id: string;
  readonly duplicate: boolean;
  readonly #await: (id: string, options: JobWaitOptions) => Promise<Result>;

  /** Use `queue.add`. */
  constructor({ id, duplicate }: AddedJob, wait: (id: string, options: JobWaitOptions) => Promise<Result>) {
    this.id = id;
    this.duplicate = duplicate;
    this.#await = wait;
  }

  /** As `queue.result(id, options)`. */
  result(options: JobWaitOptions = {}): Promise<Result> {
    return this.#await(this.id, options);
  }
}
