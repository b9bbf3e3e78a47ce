import type { Clock } from './clock.js';

/**
 * What the server's clock shows, told from the monotonic clock here: never later than it does, so that what has ended there
 * has ended here, and earlier at most by what a round trip took.
 */
export class ServerClock {
  readonly #clock: Clock;
  #aheadMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970; -Infinity before the server was heard. */
  now(): number {
    return this.#clock.monotonic() + this.#aheadMs;
  }

  /** The server showed `nowMs` when it answered what was sent at `sentAtMs` on the monotonic clock. */
  answered(nowMs: number, sentAtMs: number): void {
    this.#aheadMs = nowMs - sentAtMs;
  }

  /** The server showed `nowMs`, or more, by now. */
  atLeast(nowMs: number): void {
    this.#aheadMs = Math.max(this.#aheadMs, nowMs - this.#clock.monotonic());
  }
}
