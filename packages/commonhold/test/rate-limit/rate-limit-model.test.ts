import fc from 'fast-check';
import { describe } from 'vitest';
import type { FixedWindow, RateLimitVerdict } from '../../src/rate-limit/rate-limit-port.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkModel } from '../model-check.js';

const limiter = fc.constantFrom('a', 'a:b', '*');
const subject = fc.constantFrom('x', '::1');
// Time moves in whole seconds and windows end between them, so that the milliseconds a real server takes decide nothing.
const rule = fc.record({
  kind: fc.constant('fixed-window' as const),
  limit: fc.integer({ min: 2, max: 4 }),
  windowMs: fc.constantFrom(2_500, 7_500),
}) satisfies fc.Arbitrary<FixedWindow>;

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  fc.tuple(limiter, subject, rule, fc.integer({ min: 1, max: 2 })).map(([l, s, r, weight]): ModelStep => ({
    label: `consume ${l} ${s} ${r.limit}/${r.windowMs} ${weight}`,
    run: async (ports) => inSeconds(await ports.rateLimit.consume(l, s, r, weight)),
  })),
  fc.tuple(limiter, subject, rule).map(([l, s, r]): ModelStep => ({
    label: `peek ${l} ${s} ${r.limit}/${r.windowMs}`,
    run: async (ports) => inSeconds(await ports.rateLimit.peek(l, s, r)),
  })),
  fc.tuple(limiter, subject, rule).map(([l, s, r]): ModelStep => ({
    label: `reset ${l} ${s} ${r.limit}/${r.windowMs}`,
    run: (ports) => ports.rateLimit.reset(l, s, r),
  })),
);

// Milliseconds of real time pass between hits on a real server.
function inSeconds(verdict: RateLimitVerdict): RateLimitVerdict {
  const { resetMs, retryAfterMs } = verdict;
  return { ...verdict, resetMs: Math.ceil(resetMs / 1_000), retryAfterMs: Math.ceil(retryAfterMs / 1_000) };
}

describe('rate limit model', () => checkModel(steps));
