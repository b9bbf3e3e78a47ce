import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../src/rate-limit/rate-limit.js';
import type { RateLimitRules } from '../../src/rate-limit/rule-set.js';

const accepted: readonly RateLimitRules[] = [
  '5 per hour',
  { limit: 5, window: '1h' },
  { algorithm: 'sliding-window', limit: 5, window: '1h' },
  { algorithm: 'token-bucket', capacity: 5, refill: 1, every: '1s' },
  { algorithm: 'gcra', limit: 5, window: '1h', burst: 2 },
  ['5 per second', { algorithm: 'gcra', limit: 100, window: '1h', burst: 10 }],
];

// Compiled, never run: what must not type-check.
export function refused(limit: RateLimit, signal: AbortSignal): void {
  // @ts-expect-error GCRA needs a burst
  const gcra: RateLimitRules = { algorithm: 'gcra', limit: 5, window: '1h' };
  // @ts-expect-error a window has no burst
  const window: RateLimitRules = { algorithm: 'sliding-window', limit: 5, window: '1h', burst: 1 };
  // @ts-expect-error a token bucket has no window
  const bucket: RateLimitRules = { algorithm: 'token-bucket', limit: 5, window: '1h' };
  // @ts-expect-error there is no such algorithm
  const leaky: RateLimitRules = { algorithm: 'leaky-bucket', limit: 5, window: '1h' };
  void [gcra, window, bucket, leaky];
  // @ts-expect-error without waiting there is nothing that a signal could end
  void limit.consume('s', { signal });
  // @ts-expect-error peeking does not wait
  void limit.peek('s', { wait: '1s' });
  // @ts-expect-error a refund weighs what its hit did
  void limit.refund('s', { weight: 1 });
}

describe('the types of rules', () => {
  it('accept what can be, and only that', () => {
    expect(accepted).toHaveLength(6);
  });
});
