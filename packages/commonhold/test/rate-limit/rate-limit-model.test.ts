import fc from 'fast-check';
import { describe } from 'vitest';
import type { Meter, RateLimitPort } from '../../src/rate-limit/rate-limit-port.js';
import { parseRules } from '../../src/rate-limit/rule-set.js';
import type { RateLimitRule } from '../../src/rate-limit/rule.js';
import { rateLimitOperations } from '../../src/rate-limit/rate-limit-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const limiter = fc.constantFrom('a', 'a:b', '*');
const subject = fc.constantFrom('x', '::1');
const limit = fc.integer({ min: 2, max: 4 });
// Time moves in whole seconds. Some rules end on one, where the last millisecond counts, others between.
const span = fc.constantFrom(2_500, 4_000, 7_500);

const rule: fc.Arbitrary<RateLimitRule> = fc.oneof(
  fc.record({ limit, window: span }),
  fc.record({ algorithm: fc.constant('sliding-window' as const), limit, window: span }),
  fc.record({
    algorithm: fc.constant('token-bucket' as const),
    capacity: limit,
    refill: fc.integer({ min: 1, max: 2 }),
    every: span,
  }),
  fc.record({
    algorithm: fc.constant('gcra' as const),
    limit: fc.integer({ min: 1, max: 3 }),
    window: span,
    burst: limit,
  }),
);

const meters: fc.Arbitrary<readonly Meter[]> = fc
  .uniqueArray(rule, {
    minLength: 1,
    maxLength: 3,
    selector: (one) => parseRules(one, 'l', 'model').meters.map(({ kind, spanMs }) => `${kind} ${spanMs}`)[0],
  })
  .map((rules) => parseRules(rules, 'l', 'model').meters);

function step(
  label: string,
  call: (
    port: RateLimitPort,
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
  ) => Promise<unknown>,
): fc.Arbitrary<ModelStep> {
  return fc.tuple(limiter, subject, meters, fc.integer({ min: 1, max: 2 })).map(([l, s, m, weight]) => ({
    label: `${label} ${l} ${s} ${weight} ${JSON.stringify(m)}`,
    run: (ports) => call(ports.rateLimit, l, s, m, weight),
  }));
}

const started = Date.UTC(2026, 0, 1);

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  },
  { weight: 8, arbitrary: step('consume', (port, l, s, m, weight) => port.consume(l, s, m, weight)) },
  ...['1', '2'].map((id) => ({
    weight: 2,
    arbitrary: step(`consume once ${id}`, (port, l, s, m, weight) =>
      port.consumeOnce(l, s, m, weight, { id, rememberMs: 5_400 }),
    ),
  })),
  {
    weight: 2,
    arbitrary: step('refund once', (port, l, s, m, weight) =>
      port.refundOnce(l, s, m, weight, started + weight * 7_000, '1'),
    ),
  },
  { weight: 2, arbitrary: step('peek', (port, l, s, m, weight) => port.peek(l, s, m, weight)) },
  { weight: 1, arbitrary: step('reset', (port, l, s, m) => port.reset(l, s, m)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(limiter, subject, meters, fc.integer({ min: 1, max: 2 }), fc.integer({ min: 0, max: 25 }))
      .map(([l, s, m, weight, second]): ModelStep => ({
        label: `refund ${l} ${s} ${weight} of second ${second} ${JSON.stringify(m)}`,
        run: (ports) => ports.rateLimit.refund(l, s, m, weight, started + second * 1_000),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(limiter, subject, fc.constantFrom(2_000, 4_500)).map(([l, s, durationMs]): ModelStep => ({
      label: `block ${l} ${s} ${durationMs}`,
      run: (ports) => ports.rateLimit.block(l, s, durationMs),
    })),
  },
);

describe('rate limit model', () => checkModel(steps));
describe('commands of rate-limit', () => checkCommands(rateLimitOperations));
describe('keys of rate-limit', () => checkKeys('<ns>:rate-limit:'));
