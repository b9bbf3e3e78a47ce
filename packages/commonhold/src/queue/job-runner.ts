import type { Clock } from '../clock.js';
import type { FeatureContext } from '../feature-context.js';
import { HeldJobs } from './held-jobs.js';
import { type HandlerPlace, type JobHandler, runHandler } from './job-handler.js';
import { JobLogs } from './job-logs.js';
import { JobsAhead } from './jobs-ahead.js';
import { ProgressNotes } from './progress-notes.js';
import type { JobChecks, ResolvedJobOptions } from './queue-options.js';
import type { ClaimedJob, JobEnd, QueueAddress, QueuePort, QueueWorker } from './queue-port.js';
import { allReturned, RunningJob } from './running-job.js';

/** What a runner is made of besides its handler. */
export interface JobRunnerPlace<Data, Result> {
  readonly address: QueueAddress;
  readonly settings: ResolvedJobOptions;
  readonly port: QueuePort;
  readonly context: FeatureContext;
  readonly checks: JobChecks<Data, Result>;
  readonly worker: QueueWorker;
  readonly concurrency: number;
  /** Hears of what is to be handed in; of nothing, when a job ended that is not to be. */
  readonly onEnds: (ends: readonly JobEnd[]) => void;
}

/** Handlers that end within this leave their worker waiting for the next trip, so it takes jobs ahead. */
const quickMs = 2;
/** After as long a run of handlers that compute without a pause the event loop gets its turn. */
const sliceMs = 10;

/** Runs the jobs that a worker took: as many at once as asked for, the others as soon as there is room. */
export class JobRunner<Data, Result> {
  readonly #clock: Clock;
  readonly #concurrency: number;
  readonly #onEnds: JobRunnerPlace<Data, Result>['onEnds'];
  readonly #handling: HandlerPlace<Data, Result>;
  readonly #held: HeldJobs;
  readonly #ahead: JobsAhead;
  #aloneId: string | undefined;
  #startLater = false;
  /** By how much the store's clock, which dates jobs, is ahead of our monotonic one. */
  #storeAheadMs = 0;
  #stopped = false;
  /** Of how long handlers took of late; at first as if they were slow. */
  #meanMs = quickMs * 2;

  constructor(handler: JobHandler<Data, Result>, place: JobRunnerPlace<Data, Result>) {
    const { address, port, context, worker, settings, checks } = place;
    this.#clock = context.clock;
    this.#concurrency = place.concurrency;
    this.#onEnds = place.onEnds;
    this.#held = new HeldJobs({ address, port, context, worker });
    this.#ahead = new JobsAhead(this.#clock, (jobs) => this.#giveBackStale(jobs));
    const notes = new ProgressNotes({ address, port, worker, held: this.#held });
    const progress = (running: RunningJob, fraction: number): void => notes.note(running, fraction);
    const logs = new JobLogs({ address, port, worker });
    const log = (running: RunningJob, text: string): void => logs.write(running, text);
    const storeNow = (): number => this.#clock.monotonic() + this.#storeAheadMs;
    this.#handling = { handler, settings, context, checks, progress, log, storeNow };
  }

  /** Jobs whose handlers run. */
  get running(): number {
    return this.#held.size;
  }

  /** Jobs that run or are about to. */
  get size(): number {
    return this.#held.size + this.#ahead.size;
  }

  /** How many more jobs it would take: up to `concurrency`, and while handlers are quick twice as many to run next. */
  get room(): number {
    if (this.#stopped || this.#aloneId !== undefined) return 0;
    const ahead = this.#meanMs < quickMs ? 2 * this.#concurrency : 0;
    return Math.max(0, this.#concurrency + ahead - this.size);
  }

  /** Ids of those jobs. */
  ids(): string[] {
    return [...this.#held.ids(), ...this.#ahead.ids()];
  }

  /** Takes jobs to run, or one with nothing beside it. */
  take(jobs: readonly ClaimedJob[], alone: boolean): void {
    if (alone) this.#aloneId = jobs[0]?.id;
    this.#ahead.push(jobs);
    this.#startJobs();
  }

  /** The store answered at `storeNowMs` by its clock a turn that was sent at `sentAtMs` by our monotonic clock. */
  confirm(sentAtMs: number, storeNowMs: number): void {
    this.#held.confirm(sentAtMs);
    // A turn that came too late tells no time.
    if (storeNowMs > 0) this.#storeAheadMs = storeNowMs - sentAtMs;
  }

  /** Starts no more jobs; returns what is to be handed in for those that it had not started. */
  stop(): JobEnd[] {
    this.#stopped = true;
    return allReturned(this.#ahead.takeAll());
  }

  /** Aborts what runs and forgets it; returns what is to be handed in for it. */
  abandon(): JobEnd[] {
    const taken = this.#held.takeAll();
    for (const running of taken) running.abort('closing');
    return allReturned(taken.filter(({ aborted }) => aborted !== 'lost').map(({ job }) => job));
  }

  /** Ends its hold on the jobs. */
  close(): Promise<void> {
    return this.#held.close();
  }

  #startJobs(): void {
    const sinceMs = this.#clock.monotonic();
    let nowMs = sinceMs;
    this.#startLater = false;
    while (!this.#stopped && this.#held.size < this.#concurrency) {
      if (this.#ahead.size === 0) return;
      if (!this.#held.isSure(nowMs)) return this.#giveBackUnsure();
      this.#start(this.#ahead.shift() as ClaimedJob, nowMs);
      nowMs = this.#clock.monotonic();
      // The lease must be renewed meanwhile.
      if (this.#ahead.size > 0 && nowMs - sinceMs >= sliceMs) return this.#startSoon();
    }
    this.#ahead.settle();
  }

  #startSoon(): void {
    if (this.#startLater) return;
    this.#startLater = true;
    this.#clock.afterPoll(() => this.#startJobs());
  }

  #start(job: ClaimedJob, startedAtMs: number): void {
    const running = new RunningJob(job);
    this.#held.add(running);
    const end = runHandler(this.#handling, running);
    if (end instanceof Promise) void end.then((later) => this.#endedLater(running, startedAtMs, later));
    else if (running.log === undefined) this.#ended(running, startedAtMs, end);
    else this.#endedLater(running, startedAtMs, end);
  }

  #endedLater(running: RunningJob, startedAtMs: number, end: JobEnd): void {
    // Once its end is handed in, the store takes no more lines.
    if (running.log !== undefined) return void running.log.sent.then(() => this.#endedLater(running, startedAtMs, end));
    this.#ended(running, startedAtMs, end);
    if (!this.#startLater) this.#startJobs();
  }

  #ended(running: RunningJob, startedAtMs: number, end: JobEnd): void {
    this.#meanMs += (this.#clock.monotonic() - startedAtMs - this.#meanMs) / 16;
    if (this.#aloneId === running.job.id) this.#aloneId = undefined;
    // Given back meanwhile, or not ours any more: nothing to hand in.
    const ours = this.#held.take(running) && running.aborted !== 'lost';
    this.#onEnds(ours ? [end] : []);
  }

  // This process stood still, or the store was away: others may have these jobs.
  #giveBackUnsure(): void {
    const jobs = this.#ahead.takeAll();
    if (jobs.some((job) => job.id === this.#aloneId)) this.#aloneId = undefined;
    this.#onEnds(allReturned(jobs));
  }

  // The handlers that run turned out slow.
  #giveBackStale(jobs: readonly ClaimedJob[]): void {
    this.#meanMs = Math.max(this.#meanMs, quickMs * 2);
    this.#onEnds(allReturned(jobs));
  }
}
