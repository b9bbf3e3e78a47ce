import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { HeldJobs } from './held-jobs.js';
import { backoffMs, readJobOptions, type ResolvedRetry } from './queue-options.js';
import {
  type ClaimedJob,
  type JobEnd,
  type QueueAddress,
  type QueuePort,
  queueTopic,
  type QueueTurnReply,
  type QueueWorker,
  workerId,
} from './queue-port.js';
import { errorText, NonRetryableError, returned, RunningJob } from './running-job.js';
import type { Waiter } from '../backend/wakes.js';

/** A job as its handler sees it. */
export interface JobToRun<Data> {
  readonly id: string;
  readonly data: Data;
  /** 1 for the first. */
  readonly attempt: number;
  readonly priority: number;
  readonly createdAtMs: number;
  readonly topic?: string;
}

export interface JobControls {
  /** Aborts when the job was cancelled, when another worker may have it, or when this worker stops. */
  readonly signal: AbortSignal;
  /** Notes how far the job is, 0 to 1. At most one note is under way; later ones replace those that wait. */
  progress(fraction: number): void;
}

export type JobHandler<Data, Result> = (job: JobToRun<Data>, controls: JobControls) => Result | Promise<Result>;

export interface WorkOptions {
  /** How many jobs run side by side, 1 to 1000. Default 1. */
  readonly concurrency?: number;
}

export interface CloseOptions {
  /** How long running jobs may take to end before they are aborted and given back. Default 10 s. */
  readonly grace?: Duration;
}

export interface JobWorkerPlace {
  readonly address: QueueAddress;
  readonly retry: ResolvedRetry;
  readonly port: QueuePort;
  readonly context: FeatureContext;
}

/** Another worker may take a job this long after its worker was last heard of. */
const leaseMs = 5_000;
/** Handlers that end within this leave their worker waiting for the next trip, so it takes jobs ahead. */
const quickMs = 2;
/** How long a closing worker tries to hand in what ended. */
const handInMs = 2_000;
const firstRetryMs = 50;
const longestRetryMs = 2_000;

/**
 * Takes jobs and runs them. One loop, one trip at a time: a trip hands in what ended and takes what is free.
 *
 * - working: takes up to `concurrency` jobs, and while handlers take less than 2 ms twice as many again to run next.
 * - draining, entered by `close`: takes nothing, gives back what it has not started, waits for what runs; after the grace
 *   aborts the rest and gives it back with no attempt charged.
 * - closed: when all is handed in.
 *
 * A trip that fails is repeated with growing waits; what ended stays with the worker until it is handed in. After a trip
 * whose outcome is unknown the next one says what this worker knows that it holds, and learns the rest.
 */
export class JobWorker<Data, Result> {
  readonly #place: JobWorkerPlace;
  readonly #handler: JobHandler<Data, Result>;
  readonly #concurrency: number;
  readonly #self: QueueWorker;
  readonly #held: HeldJobs;
  readonly #waiter: Waiter;
  readonly #stopped: Promise<void>;
  #ready: ClaimedJob[] = [];
  #ends: JobEnd[] = [];
  #state: 'working' | 'draining' | 'closed' = 'working';
  #aloneId: string | undefined;
  #waitForIdle = false;
  #answerLost = false;
  #failures = 0;
  #lookAtMs: number | undefined;
  #meanMs = quickMs * 2;
  #closing: Promise<void> | undefined;

  /** Use `queue.work(handler, options)`. */
  constructor(handler: JobHandler<Data, Result>, options: WorkOptions, place: JobWorkerPlace) {
    const concurrency = options.concurrency ?? 1;
    if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1_000)) {
      throw new InvalidArgumentError('work concurrency', 'a whole number from 1 to 1000', concurrency);
    }
    const { context, address, port } = place;
    this.#place = place;
    this.#handler = handler;
    this.#concurrency = concurrency;
    // Each worker has a lease of its own, so that closing one does not touch another of the same process.
    const id = workerId(context.owner.id, context.random.bytes(3).toString('base64url'));
    this.#self = { id, name: context.owner.name, leaseMs };
    this.#held = new HeldJobs({ address, port, context, worker: this.#self });
    this.#waiter = context.wakes.listen(queueTopic(address));
    this.#stopped = this.#loop();
  }

  /** Jobs whose handlers run now. */
  get running(): number {
    return this.#held.size;
  }

  /** Stops taking jobs and resolves when all is handed in. May be called twice. */
  close(options: CloseOptions = {}): Promise<void> {
    const graceMs = durationMs(options.grace ?? '10s', 'close grace');
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    this.#state = 'draining';
    this.#ends.push(...this.#ready.splice(0).map(returned));
    this.#waiter.wake();
    const { clock } = this.#place.context;
    const grace = clock.setTimer(() => this.#giveBack(), graceMs);
    const end = clock.setTimer(() => this.#giveUp(), graceMs + handInMs);
    await this.#stopped;
    grace.cancel();
    end.cancel();
    await this.#held.close();
  }

  #giveBack(): void {
    for (const running of this.#held.takeAll()) {
      running.abort('closing');
      this.#ends.push(returned(running.job));
    }
    this.#waiter.wake();
  }

  // The store is away: what could not be handed in is taken over when the lease ends.
  #giveUp(): void {
    this.#state = 'closed';
    this.#waiter.wake();
  }

  async #loop(): Promise<void> {
    while (!this.#finished()) {
      const free = this.#free();
      const wanted = free > 0 || this.#ends.length > 0 || this.#lookDue();
      const reply = wanted ? await this.#turn(free) : undefined;
      if (wanted && reply === undefined) continue;
      const more = this.#ends.length > 0 || (free > 0 && reply?.jobs.length === free);
      if (!more && !this.#finished()) await this.#rest();
    }
    this.#state = 'closed';
    this.#waiter.close();
    await this.#place.port.leave(this.#place.address, this.#self).catch(() => undefined);
  }

  #finished(): boolean {
    if (this.#state === 'draining') return this.#held.size === 0 && this.#ends.length === 0;
    return this.#state === 'closed';
  }

  // A delayed job falls due, or another worker's lease ends.
  #lookDue(): boolean {
    return this.#lookAtMs !== undefined && this.#place.context.clock.monotonic() >= this.#lookAtMs;
  }

  #free(): number {
    if (this.#state !== 'working' || this.#aloneId !== undefined) return 0;
    const has = this.#held.size + this.#ready.length;
    if (this.#waitForIdle && has > 0) return 0;
    const ahead = this.#meanMs < quickMs ? 2 * this.#concurrency : 0;
    return Math.max(0, this.#concurrency + ahead - has);
  }

  async #rest(): Promise<void> {
    const { clock } = this.#place.context;
    await this.#waiter.wait(this.#lookAtMs && Math.max(0, this.#lookAtMs - clock.monotonic()));
    // Other jobs of the same moment may end before the trip begins, and then share it.
    if (this.#ends.length > 0 && this.#held.size > 0) await new Promise<void>((resolve) => clock.afterPoll(resolve));
  }

  async #turn(free: number): Promise<QueueTurnReply | undefined> {
    const { address, port } = this.#place;
    const ends = this.#ends;
    this.#ends = [];
    const known = this.#answerLost ? [...this.#held.ids(), ...this.#ready.map((job) => job.id)] : undefined;
    const idle = this.#held.size + this.#ready.length === 0;
    const sentAtMs = this.#place.context.clock.monotonic();
    try {
      const reply = await port.turn(address, this.#self, { ends, free, idle, known });
      this.#held.confirm(sentAtMs);
      this.#report(ends, reply, known !== undefined);
      this.#answerLost = false;
      this.#failures = 0;
      this.#lookAtMs = reply.lookAgainMs === undefined ? undefined : sentAtMs + reply.lookAgainMs;
      this.#take(reply);
      return reply;
    } catch (error) {
      this.#ends.unshift(...ends);
      this.#answerLost ||= isCommonholdError(error) && error.code === 'OutcomeUnknown';
      await this.#backOff(error);
      return undefined;
    }
  }

  #take(reply: QueueTurnReply): void {
    this.#waitForIdle = reply.waitingForIdle > 0;
    if (reply.alone) this.#aloneId = reply.jobs[0]?.id;
    if (this.#state === 'working') this.#ready.push(...reply.jobs);
    else this.#ends.push(...reply.jobs.map(returned));
    this.#startReady();
  }

  #startReady(): void {
    while (this.#held.size < this.#concurrency) {
      const job = this.#ready.shift();
      if (job === undefined) return;
      void this.#run(new RunningJob(job));
    }
  }

  async #run(running: RunningJob): Promise<void> {
    const { clock } = this.#place.context;
    const startedAtMs = clock.monotonic();
    this.#held.add(running);
    const end = await this.#outcome(running);
    this.#meanMs += (clock.monotonic() - startedAtMs - this.#meanMs) / 16;
    // Given back meanwhile, or not ours any more: nothing to hand in.
    if (this.#held.take(running) && running.aborted !== 'lost') this.#ends.push(end);
    if (this.#aloneId === running.job.id) this.#aloneId = undefined;
    if (this.#state === 'working') this.#startReady();
    this.#waiter.wake();
  }

  async #outcome(running: RunningJob): Promise<JobEnd> {
    const { id, attempt } = running.job;
    try {
      const { codec } = this.#place.context;
      const data = (await codec.decode(running.job.data, `Job ${id}`)) as Data;
      const result = await this.#handler(this.#toRun(running, data), {
        signal: running.signal,
        progress: (fraction) => this.#held.progress(running, fraction),
      });
      const payload = codec.encode(result, `The result of job ${id}`);
      return { id, attempt, kind: 'complete', payload, delayMs: 0 };
    } catch (error) {
      return running.aborted === undefined ? this.#failure(running.job, error) : returned(running.job);
    }
  }

  #toRun(running: RunningJob, data: Data): JobToRun<Data> {
    const { id, attempt, priority, createdAtMs, topic } = running.job;
    return { id, data, attempt, priority, createdAtMs, ...(topic === undefined ? {} : { topic }) };
  }

  #failure(job: ClaimedJob, error: unknown): JobEnd {
    const { id, attempt } = job;
    const retry = readJobOptions(job.options, this.#place.retry);
    const corrupt = isCommonholdError(error) && error.code === 'CorruptState';
    const again = attempt < retry.attempts && !(error instanceof NonRetryableError) && !corrupt;
    const delayMs = again ? backoffMs(retry, attempt, this.#place.context.random) : 0;
    return { id, attempt, kind: again ? 'retry' : 'fail', payload: errorText(error), delayMs };
  }

  // After a lost answer a job may be superseded by its own first end, which is no news.
  #report(ends: readonly JobEnd[], reply: QueueTurnReply, sentAgain: boolean): void {
    const superseded = ends.filter((_, index) => reply.ends[index] === 'superseded').map((end) => end.id);
    if (superseded.length === 0 || sentAgain) return;
    const fields = { queue: this.#place.address.name, jobs: superseded };
    this.#place.context.log.warn(fields, 'results were refused: another worker has these jobs, or they were cancelled');
  }

  async #backOff(error: unknown): Promise<void> {
    const { random, log } = this.#place.context;
    const ceilingMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures);
    const fields = { queue: this.#place.address.name, error: String(error) };
    if (this.#failures === 0) log.warn(fields, 'a worker cannot reach its queue and tries again');
    this.#failures++;
    await this.#waiter.wait(Math.max(firstRetryMs, random.number() * ceilingMs));
  }
}
