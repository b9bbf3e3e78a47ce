import { type Clock, systemClock, type Timer } from '../clock.js';
import { pause, waitUntil } from './waiting.js';

/**
 * The clock of a process whose beats come when a test says so: timers of more than a second are held, all others run in
 * real time. One that is never told again is, to everybody else, a process that died.
 */
export interface BeatClock extends Clock {
  /** Moves time for the process. No timer fires. */
  advance(ms: number): void;
  /** Resolves when the next beat is planned, so that none is under way. */
  planned(): Promise<void>;
  /**
   * Fires what is held, as soon as there is something, and resolves when the process has armed its next timer; or after two
   * seconds without any, in which it beat by itself.
   */
  beat(): Promise<void>;
}

const longestRealMs = 1_000;
const mostWaits = 2_000;

/** A clock that starts with the machine's time. */
export function createBeatClock(): BeatClock {
  const held = new Set<() => void>();
  let aheadMs = 0;
  const hold = (callback: () => void): Timer => {
    held.add(callback);
    return { cancel: () => void held.delete(callback) };
  };
  const armed = (count: number): Promise<void> =>
    waitUntil('the next beat to be planned', () => held.size >= count, { everyMs: 1 });
  const settles = async (count: number): Promise<boolean> => {
    for (let waits = 0; held.size < count && waits < mostWaits; waits++) await pause(1);
    return held.size >= count;
  };
  return {
    ...systemClock,
    now: () => systemClock.now() + aheadMs,
    monotonic: () => systemClock.monotonic() + aheadMs,
    setTimer: (callback, delayMs, options) =>
      delayMs > longestRealMs ? hold(() => callback()) : systemClock.setTimer(callback, delayMs, options),
    advance: (ms) => {
      aheadMs += ms;
    },
    planned: () => armed(1),
    beat: async () => {
      // Who waits for a lease that ends within a second beats by itself, more than once meanwhile.
      if (!(await settles(1))) return;
      const due = [...held];
      held.clear();
      for (const callback of due) callback();
      await settles(due.length);
    },
  };
}
