import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryBackend } from '../../src/backend/memory/memory-backend.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { createKeys } from '../../src/keys.js';
import type { RateLimitPort } from '../../src/rate-limit/rate-limit-port.js';
import { parseRules } from '../../src/rate-limit/rule-set.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';
import { seedFromEnvironment } from '../../src/testing/random.js';
import { admits, type Hit, overAdmitted } from './reference.js';

const limit = fc.integer({ min: 2, max: 7 });
// No round numbers: their remainders are where an arithmetic errs.
const span = fc.constantFrom(7, 61, 100, 331);
const rules = {
  'fixed window': fc.record({ limit, window: span }),
  'sliding window': fc.record({ algorithm: fc.constant('sliding-window' as const), limit, window: span }),
  'token bucket': fc.record({
    algorithm: fc.constant('token-bucket' as const),
    capacity: limit,
    refill: fc.integer({ min: 1, max: 2 }),
    every: span,
  }),
  GCRA: fc.record({
    algorithm: fc.constant('gcra' as const),
    limit: fc.integer({ min: 1, max: 9 }),
    window: span,
    burst: limit,
  }),
};

const steps = fc.array(
  fc.record({ afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })), weight: fc.constantFrom(1, 1, 2) }),
  { minLength: 40, maxLength: 40 },
);

function place(): { clock: ManualClock; port: RateLimitPort } {
  const clock = createManualClock();
  return { clock, port: createMemoryBackend(createMemoryStore({ clock }), createKeys('n'), true).ports.rateLimit };
}

function check<Values extends [unknown, ...unknown[]]>(property: fc.IAsyncProperty<Values>): Promise<void> {
  return fc.assert(property, { seed: seedFromEnvironment(), numRuns: 100, endOnFailure: false });
}

describe.each(Object.entries(rules))('%s', (_, rule) => {
  it('admits what its definition admits, hit by hit', () =>
    check(
      fc.asyncProperty(rule, steps, async (one, hits) => {
        const { clock, port } = place();
        const { meters } = parseRules(one, 'l', 'test');
        const past: Hit[] = [];
        for (const { afterMs, weight } of hits) {
          await clock.advance(afterMs);
          const hit = { atMs: clock.now(), weight };
          const expected = admits(one, past, hit);
          expect((await port.peek('l', 's', meters, weight)).allowed).toBe(expected);
          const { allowed, atMs } = await port.consume('l', 's', meters, weight);
          expect([allowed, atMs]).toEqual([expected, hit.atMs]);
          if (allowed) past.push(hit);
        }
      }),
    ));

  it('admits who waits exactly as told, not a millisecond sooner, and is empty exactly at its reset', () =>
    check(
      fc.asyncProperty(rule, steps, async (one, hits) => {
        const { clock, port } = place();
        const { meters, policies } = parseRules(one, 'l', 'test');
        for (const { afterMs, weight } of hits) {
          await clock.advance(afterMs);
          const refused = await port.consume('l', 's', meters, weight);
          if (refused.allowed) continue;
          await clock.advance((refused.meters[0]?.retryAfterMs ?? 0) - 1);
          expect((await port.peek('l', 's', meters, weight)).allowed).toBe(false);
          await clock.advance(1);
          expect((await port.consume('l', 's', meters, weight)).allowed).toBe(true);
        }
        const { resetMs = 0 } = (await port.peek('l', 's', meters, 1)).meters[0] ?? {};
        if (resetMs === 0) return;
        await clock.advance(resetMs - 1);
        expect((await port.peek('l', 's', meters, 1)).meters[0]?.resetMs).toBe(1);
        await clock.advance(1);
        const empty = { remaining: policies[0]?.limit, resetMs: 0, retryAfterMs: 0 };
        expect((await port.peek('l', 's', meters, 1)).meters[0]).toEqual(empty);
        expect(await port.reset('l', 's', meters)).toBe(false);
      }),
    ));

  it('with refunds never admits more than its definition allows of hits that were not refunded', () =>
    check(
      fc.asyncProperty(rule, steps, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), async (one, hits, chance) => {
        const { clock, port } = place();
        const { meters } = parseRules(one, 'l', 'test');
        let kept: Hit[] = [];
        for (const { afterMs, weight } of hits) {
          await clock.advance(afterMs);
          const hit = { atMs: clock.now(), weight };
          const { allowed } = await port.consume('l', 's', meters, weight);
          if (allowed) kept.push(hit);
          if (allowed) expect(overAdmitted(one, kept)).toBe(false);
          const pick = Number(chance.next().value);
          const refunded = pick < 3 ? kept.at(-1 - pick) : undefined;
          if (refunded === undefined) continue;
          await port.refund('l', 's', meters, refunded.weight, refunded.atMs);
          kept = kept.filter((other) => other !== refunded);
        }
      }),
    ));
});
