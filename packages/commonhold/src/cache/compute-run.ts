import { type Clock, sleep, type Timer } from '../clock.js';
import { ComputeTimeoutError } from '../errors.js';

/** What `getOrSet` hands to the function that computes. */
export interface ComputeControls {
  /** Aborts when the cache no longer waits for the value (`hardTimeout`). */
  readonly signal: AbortSignal;
}

/** Makes a value. */
export type Compute<Value> = (controls: ComputeControls) => Value | Promise<Value>;

/**
 * Runs `compute`, for at most `limitMs`. Then its signal aborts, and what it still returns or throws is dropped.
 * @throws ComputeTimeoutError, and what `compute` throws.
 */
export async function runCompute<Value>(
  compute: Compute<Value>,
  limitMs: number | undefined,
  what: string,
  clock: Clock,
): Promise<Value> {
  const controller = new AbortController();
  if (limitMs === undefined) return compute({ signal: controller.signal });
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimer(() => {
      const error = new ComputeTimeoutError(what, limitMs);
      reject(error);
      controller.abort(error);
    }, limitMs);
  });
  try {
    return await Promise.race([compute({ signal: controller.signal }), late]);
  } finally {
    timer?.cancel();
  }
}

/** What `work` gives within `waitMs`, or undefined. It goes on in any case. */
export async function within<Result>(work: Promise<Result>, waitMs: number, clock: Clock): Promise<Result | undefined> {
  if (waitMs === Infinity) return work;
  if (waitMs === 0) return undefined;
  const enough = new AbortController();
  try {
    return await Promise.race([work, sleep(clock, waitMs, enough.signal).then(() => undefined)]);
  } finally {
    enough.abort();
  }
}
