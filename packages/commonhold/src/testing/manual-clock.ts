import assert from 'node:assert/strict';
import { systemClock, type Clock, type Timer } from '../clock.js';
import { eventLoopTurn } from './waiting.js';

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Timers armed and neither fired nor cancelled. */
  readonly timers: number;
  /**
   * Moves both clocks forward by `ms` (0 or more), firing every timer that falls due on the way: earliest first, ties in
   * the order they were armed. Each callback sees exactly its due time, and before the next timer fires the event loop
   * turns until promise reactions and `afterPoll` callbacks have run, so timers they arm inside the span fire too.
   *
   * Rejects with what a callback throws, time standing where it threw, and when another `advance` is still running.
   */
  advance(ms: number): Promise<void>;
  /** Moves only the wall clock, by `ms` (negative goes back), as a correction by NTP does. No timer fires. */
  jumpWall(ms: number): void;
}

/** A clock at `startMs` of wall time (default: the start of 2026, UTC) and 0 of monotonic time. */
export function createManualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  return new SteppedClock(startMs);
}

interface ArmedTimer {
  readonly dueAtMs: number;
  readonly callback: () => void;
}

class SteppedClock implements ManualClock {
  #wallOffsetMs: number;
  #monotonicMs = 0;
  #advancing = false;
  #afterPolls = 0;
  /** In the order of arming, which is what breaks ties. */
  readonly #armed = new Set<ArmedTimer>();

  constructor(startMs: number) {
    assertFinite(startMs, 'startMs');
    this.#wallOffsetMs = startMs;
  }

  get timers(): number {
    return this.#armed.size;
  }

  now(): number {
    return Math.floor(this.#wallOffsetMs + this.#monotonicMs);
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    // As Node does with 0, negative and NaN. A timer re-armed with 0 then moves time on here too, and cannot spin.
    const delay = delayMs >= 1 ? delayMs : 1;
    const timer = { dueAtMs: this.#monotonicMs + delay, callback };
    this.#armed.add(timer);
    return { cancel: () => void this.#armed.delete(timer) };
  }

  afterPoll(callback: () => void): void {
    this.#afterPolls += 1;
    systemClock.afterPoll(() => {
      this.#afterPolls -= 1;
      callback();
    });
  }

  jumpWall(ms: number): void {
    assertFinite(ms, 'ms');
    this.#wallOffsetMs += ms;
  }

  async advance(ms: number): Promise<void> {
    assertFinite(ms, 'ms');
    assert(ms >= 0, `advance: time does not go back, received ${ms}`);
    assert(!this.#advancing, 'advance: another advance is still running; await it first');
    this.#advancing = true;
    try {
      await this.#advanceTo(this.#monotonicMs + ms);
    } finally {
      this.#advancing = false;
    }
  }

  async #advanceTo(endMs: number): Promise<void> {
    await this.#settle();
    for (let timer = this.#nextDue(endMs); timer !== undefined; timer = this.#nextDue(endMs)) {
      this.#armed.delete(timer);
      this.#monotonicMs = timer.dueAtMs;
      timer.callback();
      await this.#settle();
    }
    this.#monotonicMs = endMs;
  }

  #nextDue(endMs: number): ArmedTimer | undefined {
    let next: ArmedTimer | undefined;
    for (const timer of this.#armed) {
      if (timer.dueAtMs <= endMs && (next === undefined || timer.dueAtMs < next.dueAtMs)) next = timer;
    }
    return next;
  }

  /** One turn of the event loop runs every promise reaction, however long the chain. */
  async #settle(): Promise<void> {
    do {
      await eventLoopTurn();
    } while (this.#afterPolls > 0);
  }
}

function assertFinite(value: number, name: string): void {
  assert(Number.isFinite(value), `${name}: expected a finite number of milliseconds, received ${value}`);
}
