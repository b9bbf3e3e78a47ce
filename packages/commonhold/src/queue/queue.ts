import type { Channel, ChannelOptions } from '../channel/channel.js';
import type { Stored } from '../codec/stored.js';
import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { AddBatch } from './add-batch.js';
import { type DocumentedNotice, type JobNotice, noticeChannel } from './job-notice.js';
import { type JobHandler, JobWorker, type WorkOptions } from './job-worker.js';
import { type QueueOptions, resolveQueueOptions, type ResolvedQueueOptions, type RetryOptions, writeJobOptions } from './queue-options.js';
import type { AddedJob, JobStatus, NewJob, QueueDay, QueuePort, QueueTotals, StoredJob } from './queue-port.js';

export interface AddOptions extends RetryOptions {
  /**
   * A name of your own, 1 to 128 letters, digits, `.`, `_` or `-`. While a job of that name is kept, adding it again adds
   * nothing, which makes adding safe to repeat.
   */
  readonly id?: string;
  /** 0 to 10, higher first; within one priority first in, first out. Default 5. */
  readonly priority?: number;
  /** Not before this has passed. */
  readonly delay?: Duration;
  /** Whom the job concerns, up to 256 bytes: its jobs can be listed, and its notices heard. */
  readonly topic?: string;
}

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
  readonly topic?: string;
  /** Name of the process that runs it, or ran it last. */
  readonly workerName?: string;
  readonly startedAtMs?: number;
  readonly completedAtMs?: number;
  /** 0 to 1, as the handler said. */
  readonly progress?: number;
  readonly result?: Result;
  /** Why the last attempt failed. */
  readonly error?: string;
}

export interface ListOptions {
  readonly status?: JobStatus;
  /** From the page before. */
  readonly cursor?: string;
  /** 1 to 200. Default 50. */
  readonly limit?: number;
}

export interface JobList<Data, Result> {
  readonly jobs: readonly Job<Data, Result>[];
  /** Pass it to get the next page; absent on the last. */
  readonly cursor?: string;
}

/** What a queue needs of the state it belongs to. */
export interface QueueHome {
  /** Hears of each worker, to close it with the state. */
  onWorker(worker: { close(): Promise<void> }): void;
  openChannel<Message>(name: string, options: ChannelOptions): Channel<Message>;
}

const dayMs = 86_400_000;

/**
 * A queue that loses nothing: a job is run at least once, by one worker at a time, whatever dies meanwhile. A worker
 * holds its jobs by a lease of 5 s that it keeps renewing; what a dead worker held is taken over when the lease ends. A
 * result that comes after that is refused, so a job never completes twice.
 *
 * Handlers may run twice for one job (a worker died, or lost its lease), so what they do should bear it.
 */
export class Queue<Data, Result = void> {
  readonly #name: string;
  readonly #port: QueuePort;
  readonly #context: FeatureContext;
  readonly #options: ResolvedQueueOptions;
  readonly #batch: AddBatch;
  readonly #home: QueueHome;

  /** Use `state.queue(name, options)`. */
  constructor(name: string, options: QueueOptions, port: QueuePort, context: FeatureContext, home: QueueHome) {
    this.#name = name;
    this.#port = port;
    this.#context = context;
    this.#options = resolveQueueOptions(name, options);
    this.#batch = new AddBatch(port, this.#options.address);
    this.#home = home;
  }

  /**
   * Adds a job; resolves when it is stored. Jobs added in one turn of the event loop share a trip.
   * After `OutcomeUnknown`, adding again is safe only with an `id`.
   */
  async add(data: Data, options: AddOptions = {}): Promise<AddedJob> {
    return this.#batch.add(this.#newJob(data, options));
  }

  /** Adds jobs in order; all are checked before any is added. A failure may leave the first ones added. */
  async addMany(jobs: readonly (AddOptions & { readonly data: Data })[]): Promise<AddedJob[]> {
    const checked = jobs.map(({ data, ...options }) => this.#newJob(data, options));
    return Promise.all(checked.map((job) => this.#batch.add(job)));
  }

  /**
   * Runs `handler` for jobs as they come, until the returned worker or the state is closed. What the handler returns is
   * kept as the job's result; when it throws, the job is tried again as its settings say, and then kept as failed.
   */
  work(handler: JobHandler<Data, Result>, options: WorkOptions = {}): JobWorker<Data, Result> {
    const { address, retry } = this.#options;
    const worker = new JobWorker(handler, options, { address, retry, port: this.#port, context: this.#context });
    this.#home.onWorker(worker);
    return worker;
  }

  /**
   * The channel on which changes of jobs are announced, in the step that makes them: of all jobs, or of those that concern
   * `topic`. What was missed can be replayed for an hour. Needs `notices: true`; with `documented` names the messages are
   * {@link DocumentedNotice}s.
   */
  notices<Notice extends JobNotice | DocumentedNotice = JobNotice>(topic?: string): Channel<Notice> {
    const { address } = this.#options;
    if (!address.notices) throw new InvalidArgumentError(`queue ${this.#name} notices`, 'the option notices: true', false);
    if (topic !== undefined) checkTopic(topic);
    const { name, ...options } = noticeChannel(address, this.#context.keys, topic);
    return this.#home.openChannel<Notice>(name, options);
  }

  /** The job, or undefined when there is none or its record is no longer kept. */
  async get(id: string): Promise<Job<Data, Result> | undefined> {
    const stored = isJobId(id) ? await this.#port.get(this.#options.address, id) : undefined;
    return stored && this.#decode(stored);
  }

  /** The jobs that concern `topic`, newest first. */
  async list(topic: string, options: ListOptions = {}): Promise<JobList<Data, Result>> {
    checkTopic(topic);
    const { status, cursor } = options;
    const limit = checkLimit(options.limit);
    return this.#page(await this.#port.list(this.#options.address, topic, status, checkCursor(cursor), limit));
  }

  /** The jobs that failed for good, newest first. */
  async deadLetters(options: Omit<ListOptions, 'status'> = {}): Promise<JobList<Data, Result>> {
    const limit = checkLimit(options.limit);
    return this.#page(await this.#port.deadLetters(this.#options.address, checkCursor(options.cursor), limit));
  }

  /**
   * Ends a job that has not ended: one that waits is never started, the signal of one that runs aborts and its result is
   * refused. Returns the status the job had, so that `pending`, `delayed` and `processing` mean cancelled now; undefined
   * when there is no such job.
   */
  async cancel(id: string): Promise<JobStatus | undefined> {
    return isJobId(id) ? this.#port.cancel(this.#options.address, id) : undefined;
  }

  /** Sends a failed job again, with all its attempts; false when it is not a failed job. */
  async retry(id: string): Promise<boolean> {
    return isJobId(id) && this.#port.retry(this.#options.address, id);
  }

  /** How many jobs there are by status; failed ones while their records are kept. */
  counts(): Promise<Readonly<Record<'pending' | 'delayed' | 'processing' | 'failed', number>>> {
    return this.#port.counts(this.#options.address);
  }

  /** Jobs ever added, completed and failed. Counted in the step that adds or ends a job. */
  totals(): Promise<QueueTotals> {
    return this.#port.totals(this.#options.address);
  }

  /** The last `days` UTC days, oldest first, 1 to 366. Kept for 400 days. */
  async daily(days: number): Promise<(QueueDay & { readonly day: string })[]> {
    if (!(Number.isInteger(days) && days >= 1 && days <= 366)) {
      throw new InvalidArgumentError('queue days', 'a whole number from 1 to 366', days);
    }
    const today = this.#context.clock.now();
    const names = Array.from({ length: days }, (_, ago) => {
      return new Date(today - (days - 1 - ago) * dayMs).toISOString().slice(0, 10);
    });
    const counted = await this.#port.days(this.#options.address, names);
    return names.map((day, index) => ({ day, ...(counted[index] as QueueDay) }));
  }

  /** Workers of every process take nothing until `resume`; jobs that run go on, and jobs may be added. */
  pause(): Promise<void> {
    return this.#port.pause(this.#options.address, true);
  }

  resume(): Promise<void> {
    return this.#port.pause(this.#options.address, false);
  }

  #newJob(data: Data, options: AddOptions): NewJob {
    const { priority = 5, delay, topic, id } = options;
    if (!(Number.isInteger(priority) && priority >= 0 && priority <= 10)) {
      throw new InvalidArgumentError('job priority', 'a whole number from 0 to 10', priority);
    }
    if (id !== undefined && !isJobId(id)) {
      throw new InvalidArgumentError('job id', "1 to 128 letters, digits, '.', '_' or '-'", id);
    }
    if (topic !== undefined) checkTopic(topic);
    const { hash, retry } = this.#options;
    const recorded = hash || delay !== undefined || topic !== undefined;
    return {
      id: id ?? (recorded ? this.#context.random.bytes(12).toString('base64url') : undefined),
      priority,
      delayMs: delay === undefined ? 0 : durationMs(delay, 'job delay'),
      topic,
      data: this.#context.codec.encode(data, `A job of queue ${this.#name}`),
      options: writeJobOptions(options, retry),
      fields: hash ? plainFields(data) : [],
    };
  }

  async #page(page: Awaited<ReturnType<QueuePort['list']>>): Promise<JobList<Data, Result>> {
    const jobs = await Promise.all(page.jobs.map((job) => this.#decode(job)));
    return page.cursor === undefined ? { jobs } : { jobs, cursor: page.cursor };
  }

  async #decode({ options: _options, ...stored }: StoredJob): Promise<Job<Data, Result>> {
    const read = (part: Stored): unknown => this.#context.codec.decode(part, `Job ${stored.id} of queue ${this.#name}`);
    const data = (await read(stored.data)) as Data;
    const { result, ...rest } = stored;
    return result === undefined ? { ...rest, data } : { ...rest, data, result: (await read(result)) as Result };
  }
}

/** Names in a job's record that are ours. */
const ownFields: ReadonlySet<string> = new Set([
  ...['status', 'priority', 'created_at', 'attempts', 'data', 'options', 'topic', 'owner', 'deaths'],
  ...['worker_id', 'started_at', 'completed_at', 'progress', 'result', 'error'],
]);

function plainFields(data: unknown): string[] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([name, value]) => {
    if (!['string', 'number', 'boolean'].includes(typeof value)) return [];
    if (!ownFields.has(name)) return [name, String(value)];
    throw new InvalidArgumentError('job data', `no field called '${name}' in a queue that keeps hashes`, value);
  });
}

function isJobId(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(id);
}

function checkTopic(topic: unknown): void {
  const good = typeof topic === 'string' && topic !== '' && topic.isWellFormed() && Buffer.byteLength(topic) <= 256;
  if (!good) throw new InvalidArgumentError('job topic', 'well-formed text of 1 to 256 bytes', topic);
}

function checkLimit(limit: number = 50): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit;
  throw new InvalidArgumentError('limit', 'a whole number from 1 to 200', limit);
}

function checkCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined || /^\d{1,15}$/.test(cursor)) return cursor;
  throw new InvalidArgumentError('cursor', 'the cursor of the page before', cursor);
}
