import type { JobWaitOptions } from './job-wait.js';
import type { AddedJob } from './queue-port.js';

/** What became of a job that was added, and what will come of it. */
export class QueuedJob<Result> implements AddedJob {
  readonly id: string;
  readonly duplicate: boolean;
  readonly accepted: 'stored' | 'spooled';
  readonly #await: (id: string, options: JobWaitOptions) => Promise<Result>;

  /** Use `queue.add`. */
  constructor({ id, duplicate, accepted }: AddedJob, wait: (id: string, options: JobWaitOptions) => Promise<Result>) {
    this.id = id;
    this.duplicate = duplicate;
    this.accepted = accepted;
    this.#await = wait;
  }

  /** As `queue.result(id, options)`. Of a spooled job only once it was brought to the store. */
  result(options: JobWaitOptions = {}): Promise<Result> {
    return this.#await(this.id, options);
  }
}
