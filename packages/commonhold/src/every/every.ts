import { ClosedError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { withinGrace } from '../grace.js';
import type { Guard } from '../guard.js';
import { joinSignals } from '../joined-signal.js';
import type { HeldLock, Lock } from '../lock/lock.js';
import type { SharedMap } from '../map/map.js';
import { jittered } from '../random.js';
import { latestTick, type NextTick, nextTick, type ScheduleTimes, sleepInNaps } from '../ticks.js';

/** What work that runs at each tick is given. */
export interface Tick {
  /** The tick's time in milliseconds since 1970; the work begins then or later. */
  readonly tickAtMs: number;
  /**
   * Aborts when another process may begin the same tick, since this one was not heard of for its lease, with `LeaseLost`; and
   * with `Closed` when the schedule or the state closes.
   */
  readonly signal: AbortSignal;
  /** For what the work writes: refused once another process has begun. */
  readonly guard: Guard;
}

/** What a schedule is made of. */
export interface EveryPlace {
  readonly lock: Lock;
  /** Holds the time of the last tick that was done. */
  readonly done: SharedMap<number>;
  /** Milliseconds since 1970 by the store's clock. */
  readonly now: () => Promise<number>;
  readonly leaseMs: number;
  readonly context: FeatureContext;
}

/** The store's clock is asked again after at most so long. */
const longestSleepMs = 60_000;
const againMs = 1_000;
const doneKey = 'done';

/**
 * Work that runs once at each tick, over all processes that have the schedule. Each sleeps until the tick by the store's clock,
 * and then tries to get the lock `every:<name>`. Who gets it, and finds in the map `every:<name>` that the tick is not done, does
 * it and says so in the map, under the guard of the lock.
 */
export class Every implements AsyncDisposable {
  readonly #name: string;
  readonly #place: EveryPlace;
  readonly #work: (tick: Tick) => unknown;
  readonly #next: NextTick;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  /** The last tick of which is known here that it was done. */
  #doneMs: number | undefined;

  /** Use `state.every`. @throws InvalidArgumentError naming what is wrong. */
  constructor(name: string, times: ScheduleTimes, work: (tick: Tick) => unknown, place: EveryPlace) {
    this.#next = nextTick(times);
    this.#name = name;
    this.#place = place;
    this.#work = work;
    this.#ended = this.#run();
  }

  /** Tells work that runs to stop, and begins none. */
  stop(): void {
    this.#closing.abort(new ClosedError('This schedule'));
  }

  /** Ends it in this process: tells work that runs to stop, and waits for it, for 5 s at most. */
  async close(): Promise<void> {
    this.stop();
    await withinGrace(this.#place.context.clock, this.#ended);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let fromMs: number | undefined;
    while (!signal.aborted) {
      try {
        const nowMs = await this.#place.now();
        if (fromMs === undefined) this.#doneMs = await this.#place.done.get(doneKey);
        // Where none was ever done, nobody knows of one that was missed.
        fromMs ??= nowMs;
        const waitMs = await this.#look(fromMs, nowMs);
        if (waitMs > 0) await this.#sleep(waitMs);
      } catch (error) {
        if (signal.aborted) return;
        const { log } = this.#place.context;
        log.warn({ schedule: this.#name, error: String(error) }, 'a tick could not be done and is tried again');
        await this.#sleep(againMs);
      }
    }
  }

  /** Does what is due, and says how long there is nothing to do. */
  async #look(fromMs: number, nowMs: number): Promise<number> {
    if (this.#due(fromMs, nowMs) !== undefined) {
      this.#doneMs = await this.#place.done.get(doneKey);
      const dueMs = this.#due(fromMs, nowMs);
      // Another that does it may end without a word: at the end of its lease, or before the next tick.
      if (dueMs !== undefined && (await this.#tryTick(dueMs))) return 0;
      if (dueMs !== undefined) return Math.min(this.#leaseMs(), this.#next(nowMs) - nowMs);
    }
    return Math.min(longestSleepMs, this.#next(nowMs) - nowMs);
  }

  // Of several ticks that were missed only the last is made up for.
  #due(fromMs: number, nowMs: number): number | undefined {
    return latestTick(this.#next, this.#doneMs ?? fromMs, nowMs);
  }

  /** False when another process is at it. */
  async #tryTick(tickAtMs: number): Promise<boolean> {
    await using held = await this.#place.lock.tryAcquire();
    if (held === undefined) return false;
    const { guard } = held;
    this.#doneMs = await this.#place.done.get(doneKey, { guard });
    if (this.#doneMs !== undefined && this.#doneMs >= tickAtMs) return true;
    this.#closing.signal.throwIfAborted();
    await this.#do(tickAtMs, held);
    await this.#place.done.set(doneKey, tickAtMs, { guard });
    this.#doneMs = tickAtMs;
    return true;
  }

  /** Throws only when the tick is another's to do. */
  async #do(tickAtMs: number, held: HeldLock): Promise<void> {
    using joined = joinSignals(held.signal, this.#closing.signal);
    const { signal } = joined;
    try {
      await this.#work({ tickAtMs, signal, guard: held.guard });
    } catch (error) {
      if (signal.aborted) throw error;
      const fields = { schedule: this.#name, tickAtMs, error: String(error) };
      this.#place.context.log.error(fields, 'the work of a tick failed, and is done again at the next one');
    }
  }

  #leaseMs(): number {
    return jittered(this.#place.context.random, this.#place.leaseMs);
  }

  #sleep(ms: number): Promise<void> {
    return sleepInNaps(this.#place.context.clock, ms, this.#closing.signal);
  }
}
