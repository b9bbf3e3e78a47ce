import type { Bus, Unsubscribe } from './backend/bus.js';
import type { Clock, Timer } from './clock.js';
import { isCommonholdError } from './errors.js';
import type { Log } from './log.js';
import type { Random } from './random.js';

/** How often a process says that it is alive. */
export const beatMs = 4_000;
/** For how long that is believed. */
export const leaseMs = 12_000;

/** Something that a process keeps alive. */
export interface BeatPart {
  /**
   * Says to the store that this process is alive. Where `steady`, the leases of others that have ended are those of dead
   * processes; otherwise the store was out of reach a short while ago, perhaps for them as well. Resolves to the number of
   * milliseconds after which it wants to be called again, if that is sooner than usual.
   */
  beat(steady: boolean): Promise<number | undefined>;
  /** The store lost data: what this process said before must be said again with the next beat. */
  lost(): void;
}

const retryMs = 1_000;
const shortestMs = 50;
/** Processes that wait for the same lease to end come to it this far apart. */
const apartMs = 250;

/**
 * The one timer by which a process stays alive: every 4 s it calls all parts in one turn of the event loop, so that what
 * they send makes one round trip. Runs only while there are parts.
 */
export class Beat {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #bus: Bus;
  readonly #parts = new Set<BeatPart>();
  #unwatch: Unsubscribe | undefined;
  #timer: Timer | undefined;
  #beating = false;
  #soon = false;
  /** Since when no beat has failed, and none came too late. */
  #wholeSinceMs: number | undefined;
  #reachedAtMs = -Infinity;

  constructor(clock: Clock, random: Random, log: Log, bus: Bus) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    this.#bus = bus;
  }

  /** Calls `part` with every beat, of which the first is now. */
  add(part: BeatPart): void {
    if (this.#parts.has(part)) return;
    this.#parts.add(part);
    // All processes hear of a server that is back at once; they come one after the other.
    this.#unwatch ??= this.#bus.onRestored(() => this.soon(apartMs * this.#random.number()));
    this.soon();
  }

  remove(part: BeatPart): void {
    if (this.#parts.delete(part) && this.#parts.size === 0) this.close();
  }

  /** Beats after `delayMs`, or sooner where that was asked for already; during a beat, right after it. */
  soon(delayMs: number = 0): void {
    // Whoever asks again and again must not put it off.
    if (this.#parts.size === 0 || this.#soon) return;
    this.#soon = true;
    if (!this.#beating) this.#arm(delayMs);
  }

  /** The store lost data. */
  lost(): void {
    for (const part of this.#parts) part.lost();
    this.soon(apartMs * this.#random.number());
  }

  close(): void {
    this.#parts.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#wholeSinceMs = undefined;
    this.#soon = false;
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(() => void this.#beat(), delayMs);
  }

  async #beat(): Promise<void> {
    this.#beating = true;
    this.#soon = false;
    const startedAtMs = this.#clock.monotonic();
    const steady = this.#steadyInMs(startedAtMs) <= 0;
    const results = await Promise.allSettled([...this.#parts].map((part) => part.beat(steady)));
    this.#beating = false;
    if (this.#parts.size === 0) return;
    const reasons = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
    const away = reasons.map((reason) => this.#report(reason)).includes(true);
    this.#note(startedAtMs, away);
    const wanted = results.map((result) => (result.status === 'fulfilled' ? (result.value ?? beatMs) : beatMs));
    const inMs = away ? retryMs : this.#nextInMs(Math.min(beatMs, ...wanted));
    const spentMs = this.#clock.monotonic() - startedAtMs;
    this.#arm(this.#soon ? 0 : Math.max(shortestMs, inMs - spentMs));
  }

  // What others wait for cannot be done before this process is steady.
  #nextInMs(wantedMs: number): number {
    if (wantedMs >= beatMs) return beatMs;
    const inMs = Math.max(wantedMs, this.#steadyInMs(this.#clock.monotonic())) + apartMs * this.#random.number();
    return Math.min(beatMs, inMs);
  }

  #steadyInMs(nowMs: number): number {
    if (nowMs - this.#reachedAtMs > leaseMs) return leaseMs;
    return this.#wholeSinceMs === undefined ? leaseMs : this.#wholeSinceMs + leaseMs - nowMs;
  }

  #note(startedAtMs: number, failed: boolean): void {
    if (failed) this.#wholeSinceMs = undefined;
    else if (this.#wholeSinceMs === undefined || startedAtMs - this.#reachedAtMs > leaseMs) {
      this.#wholeSinceMs = startedAtMs;
    }
    if (!failed) this.#reachedAtMs = startedAtMs;
  }

  // That the store is away has been said once for all, and counts; anything else is a fault of one part.
  #report(error: unknown): boolean {
    const away = isCommonholdError(error) && (error.code === 'Unavailable' || error.code === 'OutcomeUnknown');
    const closed = isCommonholdError(error) && error.code === 'Closed';
    if (!away && !closed) this.#log.warn({ error: String(error) }, 'a sign of life was not taken');
    return away;
  }
}
