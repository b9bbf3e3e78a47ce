import type { Clock } from '../clock.js';
import type { FeatureContext } from '../feature-context.js';
import { HeldJobs } from './held-jobs.js';
import { type HandlerPlace, type JobHandler, runHandler } from './job-handler.js';
import { JobsAhead } from './jobs-ahead.js';
import { ProgressNotes } from './progress-notes.js';
import type { ResolvedRetry } from './queue-options.js';
import type { ClaimedJob, JobEnd, QueueAddress, QueuePort, QueueWorker } from './queue-port.js';
import { allReturned, RunningJob } from './running-job.js';

/** What a runner is made of besides its handler. */
export interface JobRunnerPlace {
  readonly address: QueueAddress;
  readonly retry: ResolvedRetry;
  readonly port: QueuePort;
  readonly context: FeatureContext;
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
  readonly #onEnds: JobRunnerPlace['onEnds'];
  readonly #handling: HandlerPlace<Data, Result>;
  readonly #held: HeldJobs;
  readonly #ahead: JobsAhead;
  #aloneId: string | undefined;
  #startLater = false;
  #stopped = false;
  /** Of how long handlers took of late; at first as if they were slow. */
  #meanMs = quickMs * 2;

  constructor(handler: JobHandler<Data, Result>, place: JobRunnerPlace) {
    const { address, port, context, worker, retry } = place;
    this.#clock = context.clock;
    this.#concurrency = place.concurrency;
    this.#onEnds = place.onEnds;
    this.#held = new HeldJobs({ address, port, context, worker });
    this.#ahead = new JobsAhead(this.#clock, (jobs) => this.#giveBackStale(jobs));
    const notes = new ProgressNotes({ address, port, worker, held: this.#held });
    const progress = (running: RunningJob, fraction: number): void => notes.note(running, fraction);
    this.#handling = { handler, retry, context, progress };
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

  /** The store answered a call of this worker that was sent at `sentAtMs`, by the monotonic clock. */
  confirm(sentAtMs: number): void {
    this.#held.confirm(sentAtMs);
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
    this.#startLater = false;
    while (!this.#stopped && this.#held.size < this.#concurrency) {
      const job = this.#ahead.shift();
      if (job === undefined) return;
      this.#start(job);
      // The lease must be renewed meanwhile.
      if (this.#ahead.size > 0 && this.#clock.monotonic() - sinceMs >= sliceMs) return this.#startSoon();
    }
    this.#ahead.settle();
  }

  #startSoon(): void {
    if (this.#startLater) return;
    this.#startLater = true;
    this.#clock.afterPoll(() => this.#startJobs());
  }

  #start(job: ClaimedJob): void {
    const running = new RunningJob(job);
    const startedAtMs = this.#clock.monotonic();
    this.#held.add(running);
    const end = runHandler(this.#handling, running);
    if (!(end instanceof Promise)) return this.#ended(running, startedAtMs, end);
    void end.then((later) => {
      this.#ended(running, startedAtMs, later);
      if (!this.#startLater) this.#startJobs();
    });
  }

  #ended(running: RunningJob, startedAtMs: number, end: JobEnd): void {
    this.#meanMs += (this.#clock.monotonic() - startedAtMs - this.#meanMs) / 16;
    if (this.#aloneId === running.job.id) this.#aloneId = undefined;
    // Given back meanwhile, or not ours any more: nothing to hand in.
    const ours = this.#held.take(running) && running.aborted !== 'lost';
    this.#onEnds(ours ? [end] : []);
  }

  // The handlers that run turned out slow.
  #giveBackStale(jobs: readonly ClaimedJob[]): void {
    this.#meanMs = Math.max(this.#meanMs, quickMs * 2);
    this.#onEnds(allReturned(jobs));
  }
}
