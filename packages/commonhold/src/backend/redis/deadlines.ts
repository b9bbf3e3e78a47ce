import type { Clock, Timer } from '../../clock.js';
import type { DeadlineClass, NamedOperation } from '../../operation.js';

/** A call that was sent. */
export interface PendingCall {
  readonly operation: NamedOperation;
  /** Monotonic milliseconds after which the caller is told that no answer came. */
  readonly dueAtMs: number;
  readonly settled: boolean;
  /** Tells the caller that no answer came in time. */
  expire(): void;
}

const sweepEveryMs = 10;
/** A sweep later than this saw a stalled event loop: replies may wait unread in the socket. */
const punctualMs = 20;

/**
 * The first of K3's two clocks: settles callers whose deadline passed. Calls of one class fall due in the order they were
 * sent, so one ring for each class and one sweep every 10 ms replace a timer for each call. The timer runs only while
 * calls are in flight.
 *
 * After a stall of the event loop timers fire before replies that have already arrived are read; a late sweep therefore
 * lets the replies in first.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onSweep: (elapsedMs: number, punctual: boolean) => boolean;
  readonly #rings: Readonly<Record<DeadlineClass, Ring>> = { state: new Ring(), cache: new Ring() };
  #timer: Timer | undefined;
  #lastSweepMs = 0;

  /** `onSweep` hears of each sweep, and says whether sweeping must go on although no caller waits. */
  constructor(clock: Clock, onSweep: (elapsedMs: number, punctual: boolean) => boolean) {
    this.#clock = clock;
    this.#onSweep = onSweep;
  }

  add(call: PendingCall): void {
    this.#rings[call.operation.deadline].push(call);
    this.#timer ??= this.#start();
  }

  /** Stops sweeping; callers still waiting must be settled by other means. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(): Timer {
    this.#lastSweepMs = this.#clock.monotonic();
    return this.#clock.setTimer(() => this.#tick(), sweepEveryMs);
  }

  #tick(): void {
    const elapsedMs = this.#clock.monotonic() - this.#lastSweepMs;
    if (elapsedMs - sweepEveryMs < punctualMs) this.#sweep(elapsedMs, true);
    else this.#clock.afterPoll(() => this.#sweep(elapsedMs, false));
  }

  #sweep(elapsedMs: number, punctual: boolean): void {
    if (this.#timer === undefined) return;
    const now = this.#clock.monotonic();
    const waiting = this.#rings.state.expire(now) + this.#rings.cache.expire(now) > 0;
    const goOn = this.#onSweep(elapsedMs, punctual);
    this.#timer = waiting || goOn ? this.#start() : undefined;
  }
}

/** A queue that is emptied from the front in one pass and keeps no settled call for longer than its deadline. */
class Ring {
  #calls: PendingCall[] = [];
  #head = 0;

  push(call: PendingCall): void {
    this.#calls.push(call);
  }

  /** Expires what is due; returns how many calls are left. */
  expire(nowMs: number): number {
    for (; this.#head < this.#calls.length; this.#head++) {
      const call = this.#calls[this.#head] as PendingCall;
      if (!call.settled && call.dueAtMs > nowMs) break;
      if (!call.settled) call.expire();
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#calls.length) this.#drop();
    else if (this.#head === this.#calls.length) this.#drop();
    return this.#calls.length - this.#head;
  }

  #drop(): void {
    this.#calls = this.#calls.slice(this.#head);
    this.#head = 0;
  }
}
