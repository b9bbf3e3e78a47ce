import { InvalidArgumentError } from '../errors.js';
import { checkFilter, type SearchOptions } from './job-filter.js';
import type { Job, JobRecords } from './job-records.js';
import { checkTopic } from './new-job.js';
import type { ResolvedQueueOptions } from './queue-options.js';
import type { JobPage, JobStatus, QueuePort } from './queue-port.js';

/** Which jobs of many. */
export interface ListOptions {
  readonly status?: JobStatus;
  /** From the page before. */
  readonly cursor?: string;
  /** 1 to 200. Default 50. */
  readonly limit?: number;
}

/** Some of many jobs; fewer than the limit where they are large. Jobs that cannot be read are logged and left out. */
export interface JobList<Data, Result> {
  readonly jobs: readonly Job<Data, Result>[];
  /** Pass it to get the next page, which may be empty; absent on the last. */
  readonly cursor?: string;
}

/** Reads many jobs of a queue, page by page. What its methods promise stands with those of `Queue`. */
export class JobPages<Data, Result> {
  readonly #port: QueuePort;
  readonly #options: ResolvedQueueOptions;
  readonly #records: JobRecords<Data, Result>;

  constructor(port: QueuePort, options: ResolvedQueueOptions, records: JobRecords<Data, Result>) {
    this.#port = port;
    this.#options = options;
    this.#records = records;
  }

  async list(topic: string, { status, cursor, limit }: ListOptions): Promise<JobList<Data, Result>> {
    checkTopic(topic);
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) throw badCursor(cursor);
    return this.#read(await this.#port.list(this.#options.address, topic, status, cursor, checkLimit(limit)));
  }

  async deadLetters({ cursor, limit }: Omit<ListOptions, 'status'>): Promise<JobList<Data, Result>> {
    checkPlace(cursor);
    return this.#read(await this.#port.deadLetters(this.#options.address, cursor, checkLimit(limit)));
  }

  async search({ cursor, limit, ...meant }: SearchOptions): Promise<JobList<Data, Result>> {
    checkPlace(cursor);
    const { address, searchFields } = this.#options;
    if (searchFields === undefined) {
      throw new InvalidArgumentError(
        `queue ${address.name} search`,
        'the option fields, which may be empty',
        undefined,
      );
    }
    const filter = checkFilter('queue search', meant, searchFields);
    return this.#read(await this.#port.search(address, filter, cursor, checkLimit(limit)));
  }

  async #read({ jobs: stored, cursor }: JobPage): Promise<JobList<Data, Result>> {
    const jobs = await this.#records.readable(stored);
    return cursor === undefined ? { jobs } : { jobs, cursor };
  }
}

// By a moment and the id of a job.
function checkPlace(cursor: string | undefined): void {
  if (cursor !== undefined && !/^\d{1,15}-[\w.-]{1,128}$/.test(cursor)) throw badCursor(cursor);
}

function badCursor(cursor: unknown): InvalidArgumentError {
  return new InvalidArgumentError('cursor', 'the cursor of the page before', cursor);
}

function checkLimit(limit: number = 50): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit;
  throw new InvalidArgumentError('limit', 'a whole number from 1 to 200', limit);
}
