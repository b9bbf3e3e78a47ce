import { type Clock, systemClock } from '../clock.js';

/** The machine's clock, moved forward by hand: for fronts whose store is a real server. Timers run in real time. */
export interface ShiftedClock extends Clock {
  /** Milliseconds it is ahead. */
  readonly aheadMs: number;
  advance(ms: number): void;
}

/** The machine's clock, not moved yet. */
export function createShiftedClock(): ShiftedClock {
  let aheadMs = 0;
  return {
    ...systemClock,
    get aheadMs() {
      return aheadMs;
    },
    now: () => systemClock.now() + aheadMs,
    monotonic: () => systemClock.monotonic() + aheadMs,
    advance: (ms) => {
      aheadMs += ms;
    },
  };
}
