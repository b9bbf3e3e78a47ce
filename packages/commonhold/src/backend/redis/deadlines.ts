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
/** A sweep this late saw a stalled event loop. */
const lateMs = 20;
/** What a stall gives to calls that fell due in it: time to be written, answered and read. */
const graceMs = 30;

/**
 * The first of K3's two clocks: settles callers whose deadline passed. Calls of one class fall due in the order they were
 * sent, so one ring for each class and one sweep every 10 ms replace a timer for each call. The timer runs only while
 * calls are in flight.
 *
 * After a stall of the event loop timers fire before replies that have already arrived are read, and before calls made
 * in it are written. Calls that fell due in a stall are therefore settled 30 ms after it, or by the next late sweep.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onSweep: (elapsedMs: number) => boolean;
  readonly #rings: Readonly<Record<DeadlineClass, Ring>> = { state: new Ring(), cache: new Ring() };
  #timer: Timer | undefined;
  #lastSweepMs = 0;
  #graceUntilMs = -Infinity;
  #stalledFromMs = 0;

  /** `onSweep` hears of each sweep, and says whether sweeping must go on although no caller waits. */
  constructor(clock: Clock, onSweep: (elapsedMs: number) => boolean) {
    this.#clock = clock;
    this.#onSweep = onSweep;
  }

  add(call: PendingCall): void {
    this.#rings[call.operation.deadline].push(call);
    this.#timer ??= this.#start();
  }

  /** Begins to sweep although no caller waits, for as long as `onSweep` asks for it. */
  watch(): void {
    this.#timer ??= this.#start();
  }

  /** Stops sweeping; callers still waiting must be settled by other means. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(): Timer {
    this.#lastSweepMs = this.#clock.monotonic();
    return this.#clock.setTimer(() => this.#sweep(), sweepEveryMs);
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    const elapsedMs = now - this.#lastSweepMs;
    const waiting = this.#expire(now, elapsedMs - sweepEveryMs >= lateMs);
    const goOn = this.#onSweep(elapsedMs);
    this.#timer = waiting || goOn ? this.#start() : undefined;
  }

  /** Returns whether callers still wait. */
  #expire(nowMs: number, late: boolean): boolean {
    if (late) {
      this.#graceUntilMs = nowMs + graceMs;
      this.#stalledFromMs = this.#lastSweepMs;
    }
    const dueByMs = nowMs < this.#graceUntilMs ? this.#stalledFromMs : nowMs;
    return this.#rings.state.expire(dueByMs) + this.#rings.cache.expire(dueByMs) > 0;
  }
}

/** A queue that is emptied from the front in one pass and keeps no settled call for longer than its deadline. */
class Ring {
  #calls: PendingCall[] = [];
  #head = 0;

  push(call: PendingCall): void {
    this.#calls.push(call);
  }

  /** Expires what fell due by then; returns how many calls are left. */
  expire(dueByMs: number): number {
    for (; this.#head < this.#calls.length; this.#head++) {
      const call = this.#calls[this.#head] as PendingCall;
      if (!call.settled && call.dueAtMs > dueByMs) break;
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
