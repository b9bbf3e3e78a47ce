import type { Unsubscribe } from '../backend/bus.js';
import type { Waiter } from '../backend/wakes.js';
import type { CloseLimit } from '../close-report.js';
import type { Clock } from '../clock.js';
import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import type { JobHandler } from './job-handler.js';
import { JobRunner } from './job-runner.js';
import type { JobChecks, ResolvedJobOptions } from './queue-options.js';
import {
  type JobEnd,
  type QueueAddress,
  type QueuePort,
  queueTopic,
  type QueueTurn,
  type QueueTurnReply,
  type QueueWorker,
  workerId,
} from './queue-port.js';
import { allReturned } from './running-job.js';

/** How a worker runs. */
export interface WorkOptions {
  /** How many jobs run side by side, 1 to 1000. Default 1. */
  readonly concurrency?: number;
}

/** How a worker stops. */
export interface CloseOptions {
  /** How long running jobs may take to end before they are aborted and given back. Default 10 s. */
  readonly grace?: Duration;
}

/** What a worker is made of besides its handler. */
export interface JobWorkerPlace<Data, Result> {
  readonly address: QueueAddress;
  readonly settings: ResolvedJobOptions;
  readonly port: QueuePort;
  readonly context: FeatureContext;
  readonly checks: JobChecks<Data, Result>;
  /** Called when it has closed. */
  readonly onClosed: () => void;
}

const workOptionNames = { concurrency: true } satisfies OptionNames<WorkOptions>;
const closeOptionNames = { grace: true } satisfies OptionNames<CloseOptions>;
/** Another worker may take a job this long after its worker was last heard of. */
const leaseMs = 5_000;
/** One trip takes and hands in no more than this, so that it holds up no one else at the server. */
const mostJobsATrip = 250;
const mostBytesATrip = 1024 * 1024;
/** After as long a run of trips the event loop gets its turn. */
const sliceMs = 10;
/** How long running jobs may take where nobody says otherwise. */
const longestGraceMs = 10_000;
/** How long a closing worker tries to hand in what ended. */
const handInMs = 2_000;
const firstRetryMs = 50;
const longestRetryMs = 2_000;
/** Workers that wait for one moment come to it this far apart, so that one of them can do what is due for all. */
const apartMs = 5;
const longestApartMs = 1_000;
/** How often a worker that waits to be free looks whether it still must. */
const whileWaitingMs = 1_000;

/**
 * Takes jobs and runs them. One loop, one trip at a time: a trip hands in what ended and takes what is free.
 *
 * - working: takes up to `concurrency` jobs, and while handlers take less than 2 ms twice as many again to run next.
 * - draining, entered by `close`: takes nothing, gives back what it has not started, waits for what runs; after the grace
 *   aborts the rest and gives it back with no attempt charged.
 * - closed: when all is handed in, or the store could not be reached for 2 s more.
 *
 * Between trips it rests until it is woken, a job ends, a delayed job falls due, or another worker's lease ends. A trip
 * that fails is repeated with growing waits; what ended stays with the worker until it is handed in. After a trip whose
 * outcome is unknown, and when the store was away, the next one says what this worker knows that it holds, and learns the rest.
 */
export class JobWorker<Data, Result> {
  readonly #place: JobWorkerPlace<Data, Result>;
  readonly #clock: Clock;
  readonly #self: QueueWorker;
  readonly #runner: JobRunner<Data, Result>;
  readonly #waiter: Waiter;
  readonly #unwatch: Unsubscribe;
  readonly #stopped: Promise<void>;
  readonly #ends: JobEnd[] = [];
  #state: 'working' | 'draining' | 'closed' = 'working';
  #turnNumber = 0;
  #waitForIdle = false;
  /** Whether the store may hold other jobs for this worker than it knows of. */
  #unsure = false;
  #resting = false;
  #failures = 0;
  #lookAtMs = Infinity;
  #pausedAtMs = 0;
  #closing: Promise<void> | undefined;
  #limit: CloseLimit | undefined;

  /** Use `queue.work(handler, options)`. */
  constructor(handler: JobHandler<Data, Result>, options: WorkOptions, place: JobWorkerPlace<Data, Result>) {
    const { context, address } = place;
    if (typeof handler !== 'function') throw new InvalidArgumentError('work handler', 'a function', handler);
    checkOptionNames('work', options, workOptionNames);
    const concurrency = checkConcurrency(options.concurrency);
    this.#place = place;
    this.#clock = context.clock;
    // Each worker has a lease of its own, so that closing one does not touch another of the same process.
    const id = workerId(context.owner.id, context.random.bytes(3).toString('base64url'));
    this.#self = { id, name: context.owner.name, leaseMs };
    const onEnds = (ends: readonly JobEnd[]): void => this.#ended(ends);
    this.#runner = new JobRunner(handler, { ...place, worker: this.#self, concurrency, onEnds });
    this.#waiter = context.wakes.listen(queueTopic(address));
    // The store that is back may have lost its last writes, by which jobs ended that this worker then holds again.
    this.#unwatch = context.bus.onRestored(() => (this.#unsure = true));
    this.#stopped = this.#loop();
  }

  /** Jobs whose handlers run now. */
  get running(): number {
    return this.#runner.running;
  }

  /** Stops taking jobs and resolves when all is handed in, at most about 3 s after the grace. May be called twice. */
  close(options: CloseOptions = {}): Promise<void> {
    checkOptionNames('worker close', options, closeOptionNames);
    const graceMs = durationMs(options.grace ?? longestGraceMs, 'close grace');
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  /** Closes with its state, within its limit, and says which jobs it gave back. */
  async closeWithin(limit: CloseLimit): Promise<void> {
    const graceMs = limit.graceMs(longestGraceMs);
    this.#limit = limit;
    // Who called close() before may have given it longer.
    const grace = this.#clock.setTimer(() => this.#giveBack(), graceMs, { keepAlive: true });
    await this.close({ grace: graceMs });
    grace.cancel();
  }

  async #close(graceMs: number): Promise<void> {
    this.#state = 'draining';
    this.#ends.push(...this.#runner.stop());
    this.#waiter.wake();
    const grace = this.#clock.setTimer(() => this.#giveBack(), graceMs, { keepAlive: true });
    const end = this.#clock.setTimer(() => this.#giveUp(), graceMs + handInMs, { keepAlive: true });
    await this.#stopped;
    grace.cancel();
    end.cancel();
    await this.#runner.close();
    this.#place.onClosed();
  }

  #giveBack(): void {
    const ends = this.#runner.abandon();
    this.#ends.push(...ends);
    const { name } = this.#place.address;
    for (const { id } of ends) this.#limit?.abandon({ feature: 'queue', what: `job ${id} of queue ${name}` });
    this.#waiter.wake();
  }

  // The store is away: what could not be handed in is taken over when the lease ends.
  #giveUp(): void {
    this.#state = 'closed';
    this.#waiter.wake();
  }

  #ended(ends: readonly JobEnd[]): void {
    this.#ends.push(...ends);
    if (this.#resting) this.#waiter.wake();
  }

  async #loop(): Promise<void> {
    while (!this.#finished()) {
      const again = this.#wantsTrip() && (await this.#trip());
      if (again) await this.#pause();
      else if (!this.#finished()) await this.#rest();
    }
    this.#state = 'closed';
    this.#waiter.close();
    this.#unwatch();
    await this.#place.port.leave(this.#place.address, this.#self).catch(() => undefined);
  }

  #finished(): boolean {
    if (this.#state === 'draining') return this.#runner.running === 0 && this.#ends.length === 0;
    return this.#state === 'closed';
  }

  #wantsTrip(): boolean {
    return this.#ends.length > 0 || this.#room() > 0 || this.#clock.monotonic() >= this.#lookAtMs;
  }

  #room(): number {
    return this.#waitForIdle && this.#runner.size > 0 ? 0 : this.#runner.room;
  }

  // Trips need no pause where the store is this process's own memory, and would then keep everybody else from theirs.
  async #pause(): Promise<void> {
    if (this.#clock.monotonic() - this.#pausedAtMs < sliceMs) return;
    await this.#afterPoll();
    this.#pausedAtMs = this.#clock.monotonic();
  }

  async #rest(): Promise<void> {
    this.#resting = true;
    const lookInMs = this.#lookAtMs - this.#clock.monotonic();
    await this.#waiter.wait(lookInMs === Infinity ? undefined : Math.max(0, lookInMs));
    this.#resting = false;
    // Other jobs of the same moment may end before the trip begins, and then share it.
    if (this.#ends.length > 0 && this.#runner.running > 0) await this.#afterPoll();
  }

  #afterPoll(): Promise<void> {
    return new Promise((resolve) => this.#clock.afterPoll(resolve));
  }

  /** Returns whether there is reason for another trip at once. */
  async #trip(): Promise<boolean> {
    const { port, address } = this.#place;
    const { room } = this.#runner;
    const free = Math.min(mostJobsATrip, room);
    const ends = this.#ends.splice(0, endsOfTrip(this.#ends));
    const sentAtMs = this.#clock.monotonic();
    const turn = this.#nextTurn(ends, free);
    let reply: QueueTurnReply;
    try {
      reply = await port.turn(address, this.#self, turn);
    } catch (error) {
      this.#ends.unshift(...ends);
      await this.#backOff(error);
      return true;
    }
    this.#runner.confirm(sentAtMs, reply.nowMs);
    this.#report(ends, reply);
    if (turn.known !== undefined) this.#unsure = reply.cut;
    this.#take(reply);
    const taken = reply.jobs.length;
    const roomier = this.#room() > room - taken || (this.#room() > 0 && taken === free);
    return reply.cut || roomier || this.#ends.length > 0;
  }

  #nextTurn(ends: readonly JobEnd[], free: number): QueueTurn {
    const idle = this.#runner.size === 0;
    const waiting = this.#ends.map((end) => end.id);
    const known = this.#unsure ? [...this.#runner.ids(), ...waiting] : undefined;
    return { number: ++this.#turnNumber, ends, free, idle, known };
  }

  #take(reply: QueueTurnReply): void {
    this.#failures = 0;
    this.#waitForIdle = reply.waitingForIdle > 0;
    this.#lookAtMs = this.#nextLook(reply);
    if (this.#state === 'working') this.#runner.take(reply.jobs, reply.alone);
    else this.#ends.push(...allReturned(reply.jobs));
  }

  #nextLook({ lookAgainMs = Infinity, waitingWorkers, waitingForIdle }: QueueTurnReply): number {
    // A free worker may have taken what this one waits for with empty places.
    if (waitingForIdle > 0) return this.#clock.monotonic() + Math.min(lookAgainMs, whileWaitingMs);
    const spreadMs = waitingWorkers > 1 ? Math.min(longestApartMs, apartMs * waitingWorkers) : 0;
    return this.#clock.monotonic() + lookAgainMs + this.#place.context.random.number() * spreadMs;
  }

  // After a lost answer a job may be superseded by its own first end, which is no news.
  #report(ends: readonly JobEnd[], reply: QueueTurnReply): void {
    const refused = ends.filter(({ kind }, index) => kind !== 'return' && reply.ends[index] === 'superseded');
    const superseded = refused.map((end) => end.id);
    if (superseded.length === 0 || this.#unsure) return;
    const fields = { queue: this.#place.address.name, jobs: superseded };
    this.#place.context.log.warn(fields, 'results were refused: another worker has these jobs, or they were cancelled');
  }

  async #backOff(error: unknown): Promise<void> {
    const { random, log } = this.#place.context;
    const code = isCommonholdError(error) ? error.code : undefined;
    if (code === 'Closed') this.#state = 'closed';
    if (code !== 'Unavailable') this.#unsure = true;
    const fields = { queue: this.#place.address.name, error: String(error) };
    if (this.#failures === 0) log.warn(fields, 'a worker cannot reach its queue and tries again');
    const ceilingMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures);
    this.#failures++;
    if (this.#state !== 'closed') await this.#waiter.wait(Math.max(firstRetryMs, random.number() * ceilingMs));
  }
}

function checkConcurrency(concurrency: number = 1): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1_000) return concurrency;
  throw new InvalidArgumentError('work concurrency', 'a whole number from 1 to 1000', concurrency);
}

function endsOfTrip(ends: readonly JobEnd[]): number {
  let bytes = 0;
  let count = 0;
  while (count < ends.length && count < mostJobsATrip && bytes < mostBytesATrip) {
    bytes += ends[count++]?.payload.length ?? 0;
  }
  return count;
}
