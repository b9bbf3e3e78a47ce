import { OverloadedError } from '../errors.js';
import type { Guard } from '../guard.js';
import type { Operation } from '../operation-id.js';

/**
 * The contract of the two counter twins. Each method is one atomic step. Totals and counts are whole numbers from
 * -(2^53-1) to 2^53-1, which numbers hold exactly; a step that would leave that range rejects with `Overloaded` and
 * changes nothing. A call with a `guard` rejects with `StaleGuard` where a later holder has made one to the same counter. Days are numbers of UTC days since 1970-01-01, by the store's time.
 */
export interface CounterPort {
  /**
   * Adds `by` to the total, and to today's count where `keepMs` is given; returns the new total. An absent total counts
   * as 0 and then ends `ttlMs` from now; a present one keeps its end.
   */
  add(
    counter: string,
    by: number,
    ttlMs: number | undefined,
    keepMs: number | undefined,
    guard?: Guard,
  ): Promise<number>;
  /**
   * As {@link add}, unless `operation` has been done on this counter within the time it is remembered: then it gives the
   * total of that time. Rejects with `InvalidArgument` when its id was given to an add of another amount, or to a reset.
   */
  addOnce(
    counter: string,
    by: number,
    ttlMs: number | undefined,
    keepMs: number | undefined,
    operation: Operation,
    guard?: Guard,
  ): Promise<number>;
  /** The total; 0 when absent. */
  get(counter: string, guard?: Guard): Promise<number>;
  /** Removes the total and returns it; 0 when absent. The counts of days stay. */
  reset(counter: string, guard?: Guard): Promise<number>;
  /** As {@link reset}, unless `operation` has been done, as in {@link addOnce}. */
  resetOnce(counter: string, operation: Operation, guard?: Guard): Promise<number>;
  /**
   * The counts of `days` consecutive days up to `lastDay` (undefined for today), oldest first. A day counts 0 when nothing
   * was added on it, and when more than `keepMs` have passed since its end.
   */
  series(counter: string, keepMs: number, days: number, lastDay: number | undefined): Promise<DayCounts>;
}

/** Counts of consecutive days, oldest first. */
export interface DayCounts {
  readonly lastDay: number;
  readonly counts: readonly number[];
}

/** How errors name a counter. */
export function counterCall(counter: string): string {
  return `counter ${counter}`;
}

class CounterFullError extends OverloadedError {}

/** Whether it would be refused again. */
export function isCounterFull(error: unknown): boolean {
  return error instanceof CounterFullError;
}

/** A sum would leave the range in which numbers are exact. */
export function counterFull(counter: string): OverloadedError {
  return new CounterFullError(`Counter ${counter}`, 'the total or the count of today would pass 2^53-1 either way', {
    advice: 'Nothing was added. Reset the counter, or count in a larger unit.',
  });
}
