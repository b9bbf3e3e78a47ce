import type { CloseLimit } from '../close-report.js';
import type { Channel, ChannelOptions } from '../channel/channel.js';
import { InvalidArgumentError, JobFailedError, RunTimeoutError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { checkGuard, type Guard } from '../guard.js';
import type { ScheduleTimes } from '../ticks.js';
import { AddBatch } from './add-batch.js';
import type { ManyOptions, SearchOptions } from './job-filter.js';
import { type JobList, JobPages, type ListOptions } from './job-pages.js';
import { type Job, JobRecords } from './job-records.js';
import { checkEventsOptions, type EventsOptions, eventsOf, type JobEvent } from './job-events.js';
import type { JobHandler } from './job-handler.js';
import { type DocumentedNotice, type JobNotice, noticeChannel } from './job-notice.js';
import { JobSchedule } from './job-schedule.js';
import { jobEnd, type JobWaitOptions, type JobWaitPlace } from './job-wait.js';
import { JobWorker, type WorkOptions } from './job-worker.js';
import { QueuedJob } from './queued-job.js';
import { type AddOptions, checkScheduled, checkTopic, createJob, isJobId } from './new-job.js';
import { queueNames } from './queue-names.js';
import { checkPauseOf, drainAll, obliterateAll, removeAll, type RemoveOptions, retryAll } from './queue-upkeep.js';
import {
  type JobChecks,
  type JobSchemas,
  type QueueOptions,
  resolveQueueOptions,
  type ResolvedQueueOptions,
} from './queue-options.js';
import { checkOf } from '../schema.js';
import type {
  AddedJob,
  JobStatus,
  NewJob,
  PauseOf,
  QueueCounts,
  QueueDay,
  QueuePort,
  QueueTotals,
} from './queue-port.js';

interface Closeable {
  closeWithin(limit: CloseLimit): Promise<void>;
}

/** What a queue needs of the state it belongs to. */
export interface QueueHome {
  /** Hears how to close what must be closed with the state. */
  onUse(close: (limit: CloseLimit) => Promise<void>): void;
  openChannel<Message>(name: string, options: ChannelOptions): Channel<Message>;
  /** Whether jobs may wait on disk: the state has a journal file, and the queue did not choose otherwise. */
  readonly spools: boolean;
}

/**
 * A queue that loses nothing: a job is run at least once, by one worker at a time, whatever dies meanwhile. A worker
 * holds its jobs by a lease of 5 s that it keeps renewing; what a dead worker held is taken over when the lease ends. A
 * result that comes after that is refused, so a job never completes twice.
 *
 * Handlers may run twice for one job (a worker died, or lost its lease), so what they do should bear it.
 *
 * Every method rejects with `Unavailable` when nothing happened, with `OutcomeUnknown` when it may have, and with
 * `CorruptState` when another program wrote to the keys of the queue.
 */
export class Queue<Data, Result = void> {
  readonly #name: string;
  readonly #port: QueuePort;
  readonly #context: FeatureContext;
  readonly #options: ResolvedQueueOptions;
  readonly #batch: AddBatch;
  readonly #home: QueueHome;
  readonly #checks: JobChecks<Data, Result>;
  readonly #records: JobRecords<Data, Result>;
  readonly #pages: JobPages<Data, Result>;
  readonly #result = (id: string, options: JobWaitOptions): Promise<Result> => this.result(id, options);
  /** What ends with the state; undefined until there was something. */
  #parts: Set<Closeable> | undefined;

  /** Use `state.queue(name, options)`. @throws InvalidArgumentError naming the option. */
  constructor(
    name: string,
    { schema, resultSchema, ...options }: QueueOptions & JobSchemas<Data, Result>,
    port: QueuePort,
    context: FeatureContext,
    home: QueueHome,
  ) {
    this.#name = name;
    this.#port = port;
    this.#context = context;
    this.#options = resolveQueueOptions(name, options, home.spools);
    this.#checks = {
      data: checkOf(schema, `queue ${name}`),
      result: checkOf(resultSchema, `queue ${name}, result`),
    };
    this.#records = new JobRecords(name, this.#checks, context);
    this.#pages = new JobPages(port, this.#options, this.#records);
    this.#batch = AddBatch.of(port, this.#options.address, context);
    this.#home = home;
    if (this.#options.address.notices) noticeChannel(this.#options.address, context.keys, undefined);
    else queueNames(this.#options.address, context.keys);
  }

  /**
   * Adds a job; resolves when it is stored, or on the disk of this process where the state has a journal file and the store is
   * away: `accepted` says which. Jobs added in one turn of the event loop share a trip. A lost answer is asked for again without
   * adding twice; after `OutcomeUnknown` all the same, adding again is safe only with an `id`.
   */
  async add(data: Data, options: AddOptions = {}): Promise<QueuedJob<Result>> {
    return this.#queued(await this.#batch.with(options.durable).add(...this.#create(data, options)));
  }

  /** Adds jobs in order; all are checked before any is added. A failure may leave some of them added. */
  async addMany(jobs: readonly (AddOptions & { readonly data: Data })[]): Promise<QueuedJob<Result>[]> {
    const checked = jobs.map(({ data, ...options }) => ({ options, job: this.#create(data, options) }));
    const added = await Promise.all(checked.map(({ options, job }) => this.#batch.with(options.durable).add(...job)));
    return added.map((job) => this.#queued(job));
  }

  /**
   * Runs `handler` for jobs as they come, until the returned worker or the state is closed. What the handler returns is
   * kept as the job's result; when it throws, the job is tried again as its settings say, and then kept as failed.
   */
  work(handler: JobHandler<Data, Result>, options: WorkOptions = {}): JobWorker<Data, Result> {
    const { address, settings } = this.#options;
    const onClosed = (): void => void this.#parts?.delete(worker);
    const checks = this.#checks;
    const place = { address, settings, port: this.#port, context: this.#context, checks, onClosed };
    const worker = new JobWorker<Data, Result>(handler, options, place);
    this.#keep(worker);
    return worker;
  }

  /**
   * Adds a job at each tick of `times`, once over all processes that have the schedule: each gives it the same name, times
   * and options. `data` may be a function of the tick's time. Ticks that pass while no process has it are not made up for;
   * of those missed while the store was away the last is, within 5 minutes. While adding is paused its ticks pass.
   */
  schedule(
    name: string,
    times: ScheduleTimes,
    data: Data | ((tickAtMs: number) => Data),
    options: Omit<AddOptions, 'id' | 'durable' | 'guard'> = {},
  ): JobSchedule {
    const make = (tickAtMs: number): NewJob => {
      const tickData = typeof data === 'function' ? (data as (tickAtMs: number) => Data)(tickAtMs) : data;
      return this.#create(tickData, options)[0];
    };
    checkScheduled(this.#name, options);
    const schedule = new JobSchedule(name, times, { ...this.#place, createJob: make });
    this.#keep({ closeWithin: () => schedule.close() });
    return schedule;
  }

  /**
   * The channel on which changes of jobs are announced, in the step that makes them: of all jobs, or of those that concern
   * `topic`. What was missed can be replayed for an hour. Needs `notices: true`; with `documented` names the messages are
   * {@link DocumentedNotice}s.
   */
  notices<Notice extends JobNotice | DocumentedNotice = JobNotice>(topic?: string): Channel<Notice> {
    const { address } = this.#options;
    if (!address.notices)
      throw new InvalidArgumentError(`queue ${this.#name} notices`, 'the option notices: true', false);
    if (topic !== undefined) checkTopic(topic);
    const { name, ...options } = noticeChannel(address, this.#context.keys, topic);
    return this.#home.openChannel<Notice>(name, options);
  }

  /**
   * The changes of jobs as {@link notices} tells them, one after the other as they are asked for: `for await (const { event }
   * of queue.events())`. Begins when the first is asked for, and ends with `signal`, `break` or the state. Who is away for
   * less than an hour misses nothing by giving `after`. Needs `notices: true`.
   */
  events<Notice extends JobNotice | DocumentedNotice = JobNotice>(
    options: EventsOptions = {},
  ): AsyncGenerator<JobEvent<Notice>, void, undefined> {
    checkEventsOptions(options);
    return eventsOf(this.notices<Notice>(options.topic), options, (end) => {
      const part = { closeWithin: async () => end() };
      this.#keep(part);
      return () => void this.#parts?.delete(part);
    });
  }

  /** The job, or undefined when there is none or its record is no longer kept. */
  async get(id: string): Promise<Job<Data, Result> | undefined> {
    const stored = isJobId(id) ? await this.#port.get(this.#options.address, id) : undefined;
    return stored && this.#records.read(stored);
  }

  /**
   * The job when it has ended, however it did; undefined when there is no such job, or it has not ended within `wait`. Woken
   * by the step that ends it, not by asking again and again. A job whose record is not kept is gone when it ends.
   */
  async waitFor(id: string, options: JobWaitOptions = {}): Promise<Job<Data, Result> | undefined> {
    const found = isJobId(id) ? await jobEnd(this.#place, id, options) : undefined;
    return found === undefined || found === 'waits' ? undefined : this.#records.read(found);
  }

  /**
   * What the job's handler returned, when it has. Rejects with `JobFailed` when the job failed for good, was cancelled or is
   * gone, and with `RunTimeout` when it has not ended within `wait`.
   */
  async result(id: string, options: JobWaitOptions = {}): Promise<Result> {
    const found = isJobId(id) ? await jobEnd(this.#place, id, options) : undefined;
    const what = `Job ${id} of queue ${this.#name}`;
    if (found === 'waits') throw new RunTimeoutError(what, options.wait);
    if (found?.status !== 'completed') throw new JobFailedError(what, found?.error ?? found?.status ?? 'it is gone');
    return (await this.#records.read(found)).result as Result;
  }

  /** The jobs that concern `topic`, newest first. */
  list(topic: string, options: ListOptions = {}): Promise<JobList<Data, Result>> {
    return this.#pages.list(topic, options);
  }

  /** The jobs that failed for good, newest first. */
  deadLetters(options: Omit<ListOptions, 'status'> = {}): Promise<JobList<Data, Result>> {
    return this.#pages.deadLetters(options);
  }

  /**
   * The jobs to which all that is given applies: by status, process, time, topic, group, and the fields of their data that the
   * option `fields` declares, which a queue needs for it, if only as `[]`. Newest first; where only a status is asked for,
   * those first that came into it last. Each page looks at 2,000 jobs at most, so it may be empty and not the last.
   */
  search(options: SearchOptions = {}): Promise<JobList<Data, Result>> {
    return this.#pages.search(options);
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
  counts(): Promise<QueueCounts> {
    return this.#port.counts(this.#options.address);
  }

  /** Jobs ever added, completed and failed. Counted in the step that adds or ends a job. */
  totals(): Promise<QueueTotals> {
    return this.#port.totals(this.#options.address);
  }

  /** The last `days` UTC days by the store's clock, oldest first, 1 to 366. Kept for 400 days. */
  async daily(days: number): Promise<readonly QueueDay[]> {
    if (Number.isInteger(days) && days >= 1 && days <= 366) return this.#port.days(this.#options.address, days);
    throw new InvalidArgumentError('queue days', 'a whole number from 1 to 366', days);
  }

  /** Removes the record of a job that has ended; false when there is none, or when it has not: cancel it first. */
  async remove(id: string): Promise<boolean> {
    return isJobId(id) && this.#port.remove(this.#options.address, id);
  }

  /**
   * Sends all failed jobs again that are meant, in steps of 500 and without reading their data; returns how many. Jobs that
   * fail meanwhile are not among them. After an error some of them were sent; calling again is safe.
   */
  async retryMany(meant: ManyOptions = {}): Promise<number> {
    return retryAll(this.#port, this.#options, meant);
  }

  /**
   * Removes the records of all jobs that have ended so and are meant, as {@link retryMany} does; returns how many. Completed
   * and cancelled ones are found by their `topic`, which must be given unless the queue declares `fields`.
   */
  async removeMany(meant: RemoveOptions): Promise<number> {
    return removeAll(this.#port, this.#options, meant);
  }

  /** Removes all jobs that wait, in steps of 500; those that run go on. Returns how many. No notice tells of it. */
  drain(): Promise<number> {
    return drainAll(this.#port, this.#options.address);
  }

  /**
   * Removes the queue: jobs, records, totals, pauses. For tests, and for queues that nobody uses any more: a job that runs
   * meanwhile is refused in the end, one that is added may be lost. Notices go by themselves. Walks through all keys of the
   * server, in steps.
   */
  obliterate(): Promise<void> {
    return obliterateAll(this.#port, this.#options.address);
  }

  /**
   * `taking` (default): workers of every process take nothing until {@link resume}; jobs that run go on, and jobs may be
   * added. `adding`: adding rejects with `QueuePaused`; what is there is worked off, and tried again.
   */
  async pause(what: PauseOf = 'taking'): Promise<void> {
    await this.#port.pause(this.#options.address, checkPauseOf(what), true);
  }

  /** Ends {@link pause} of the same. */
  async resume(what: PauseOf = 'taking'): Promise<void> {
    await this.#port.pause(this.#options.address, checkPauseOf(what), false);
  }

  get #place(): JobWaitPlace {
    return { address: this.#options.address, port: this.#port, context: this.#context };
  }

  #create(data: Data, options: AddOptions): [job: NewJob, guard: Guard | undefined] {
    const { data: check } = this.#checks;
    const checked = check === undefined ? data : check(data, `A job of queue ${this.#name}`);
    const job = createJob(this.#name, checked, options, this.#options, this.#context);
    return [job, checkGuard(`queue ${this.#name}, add`, options.guard)];
  }

  #queued(added: AddedJob): QueuedJob<Result> {
    return new QueuedJob(added, this.#result);
  }

  #keep(part: Closeable): void {
    if (this.#parts === undefined) this.#home.onUse((limit) => this.#closeParts(limit));
    this.#parts ??= new Set();
    this.#parts.add(part);
  }

  async #closeParts(limit: CloseLimit): Promise<void> {
    await Promise.all([...(this.#parts ?? [])].map((part) => part.closeWithin(limit)));
  }
}
