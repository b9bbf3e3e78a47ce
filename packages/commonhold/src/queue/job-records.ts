import { isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { decodeChecked } from '../schema.js';
import type { JobChecks } from './queue-options.js';
import type { JobStatus, StoredJob } from './queue-port.js';

/** A job as it stands. Absent parts are left out. */
export interface Job<Data, Result> {
  readonly id: string;
  /** `delayed` until its time, or until its next attempt; `pending` until a worker takes it. */
  readonly status: JobStatus;
  readonly priority: number;
  readonly createdAtMs: number;
  /** How often it was started. */
  readonly attempts: number;
  readonly data: Data;
  readonly group?: string;
  readonly topic?: string;
  /** Name of the process that runs it, or ran it last. */
  readonly workerName?: string;
  readonly startedAtMs?: number;
  readonly completedAtMs?: number;
  /** 0 to 1, as the handler said. */
  readonly progress?: number;
  /** What the handler returned; absent when that was undefined. */
  readonly result?: Result;
  /** Why the last attempt failed. */
  readonly error?: string;
  /** What its attempts wrote to the log, oldest line first; absent when they wrote nothing. */
  readonly log?: readonly JobLogLine[];
}

/** A line of a job's log. */
export interface JobLogLine {
  /** Milliseconds since 1970, by the store's clock. */
  readonly atMs: number;
  readonly text: string;
}

/** Reads the records of jobs. */
export class JobRecords<Data, Result> {
  readonly #queue: string;
  readonly #checks: JobChecks<Data, Result>;
  readonly #context: FeatureContext;

  constructor(queue: string, checks: JobChecks<Data, Result>, context: FeatureContext) {
    this.#queue = queue;
    this.#checks = checks;
    this.#context = context;
  }

  /** The job. Rejects as the codec and the schemas do. */
  async read({ options: _options, log, result, ...stored }: StoredJob): Promise<Job<Data, Result>> {
    const { codec } = this.#context;
    const what = `Job ${stored.id} of queue ${this.#queue}`;
    const data = await decodeChecked(codec, this.#checks.data, stored.data, what);
    return {
      ...stored,
      data,
      ...(result === undefined
        ? {}
        : { result: await decodeChecked(codec, this.#checks.result, result, `The result of ${what}`) }),
      ...(log === undefined ? {} : { log: log.split('\n').map(logLine) }),
    };
  }

  /** The jobs that can be read: one that is damaged must not hide the others of its page. */
  async readable(stored: readonly StoredJob[]): Promise<Job<Data, Result>[]> {
    const jobs = await Promise.all(
      stored.map((job) => this.read(job).catch((error: unknown) => this.#skip(job, error))),
    );
    return jobs.filter((job) => job !== undefined);
  }

  #skip({ id }: StoredJob, error: unknown): undefined {
    if (!isCommonholdError(error)) throw error;
    const fields = { queue: this.#queue, job: id, code: error.code };
    this.#context.log.warn(fields, 'a job that cannot be read is left out of a page');
  }
}

// Another program may have written to the record.
function logLine(line: string): JobLogLine {
  const [, atMs = '0', text = line] = /^(\d{1,15}) (.*)$/s.exec(line) ?? [];
  return { atMs: Number(atMs), text };
}
