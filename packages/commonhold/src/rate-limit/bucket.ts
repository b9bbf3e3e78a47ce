import type { Bucket, MeterReading } from './rate-limit-port.js';
import { wholeCeil, wholeFloor } from './whole.js';

/** What is in use of a bucket. Nothing in use is no state at all. */
export interface BucketState {
  readonly used: number;
  /** When time last gave back, or the first hit came. */
  readonly sinceMs: number;
}

/** What is in use at `now`. Where the store's clock went back, its time begins anew. */
export function drained(bucket: Bucket, state: BucketState | undefined, now: number): BucketState {
  if (state === undefined) return { used: 0, sinceMs: now };
  const sinceMs = Math.min(state.sinceMs, now);
  const steps = wholeFloor(now - sinceMs, bucket.everyMs);
  if (steps >= wholeCeil(state.used, bucket.refill)) return { used: 0, sinceMs: now };
  return { used: state.used - steps * bucket.refill, sinceMs: sinceMs + steps * bucket.everyMs };
}

/** How a bucket stands for a hit of `weight`. */
export function readBucket(bucket: Bucket, state: BucketState, weight: number, now: number): MeterReading {
  const over = state.used + weight * bucket.unit - bucket.capacity;
  return {
    remaining: wholeFloor(Math.max(0, bucket.capacity - state.used), bucket.unit),
    resetMs: untilGivenBack(bucket, state, state.used, now),
    retryAfterMs: untilGivenBack(bucket, state, over, now),
  };
}

/**
 * What is in use once a hit of `weight` at `atMs` is taken back. Had it not come, time would have given back no more than
 * in fact it did since; so what it gave is not given twice, and no room is made that would not be there.
 */
export function refundBucket(bucket: Bucket, state: BucketState, weight: number, atMs: number): BucketState {
  const steps = wholeCeil(Math.max(0, state.sinceMs - atMs), bucket.everyMs);
  const cost = weight * bucket.unit;
  if (steps >= wholeCeil(cost, bucket.refill)) return state;
  return { used: Math.max(0, state.used - (cost - steps * bucket.refill)), sinceMs: state.sinceMs };
}

function untilGivenBack(bucket: Bucket, state: BucketState, amount: number, now: number): number {
  return amount <= 0 ? 0 : state.sinceMs + wholeCeil(amount, bucket.refill) * bucket.everyMs - now;
}
