import assert from 'node:assert/strict';
import type { RateLimit } from '../rate-limit/rate-limit.js';
import type { RateLimitRules } from '../rate-limit/rule-set.js';
import type { EngineKind } from './engine.js';
import { type DeclareTest, describeSuite, type TestRunner } from './suite.js';
import { waitUntil } from './waiting.js';

const sliding = { algorithm: 'sliding-window', limit: 3, window: '1m' } as const;
const bucket = { algorithm: 'token-bucket', capacity: 5, refill: 2, every: '10s' } as const;
const gcra = { algorithm: 'gcra', limit: 6, window: '1m', burst: 2 } as const;
const fixed = { limit: 3, window: '1m' } as const;
const everyRule: readonly RateLimitRules[] = [fixed, sliding, bucket, gcra];

/** What every limiter twin must do under rules other than one fixed window, and under several at once. */
export function rateLimitRulesConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'rate limit rules', (test) => {
    test('a sliding window admits its limit in any stretch, also across where a fixed one ends', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', sliding);
      assert.deepEqual(await admitted(limit, 1), 1);
      await engine.advance(30_000);
      assert.deepEqual(await admitted(limit, 5), 2);
      assertNear((await limit.consume('s')).retryAfterMs, 30_000);
      await engine.advance(30_000);
      assert.deepEqual(await admitted(limit, 5), 1);
      const refused = await limit.consume('s');
      assertNear(refused.retryAfterMs, 30_000);
      assertNear(refused.resetMs, 60_000);
    });

    test('hits of one sixtieth of a sliding window count until the last of them is old enough', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', { algorithm: 'sliding-window', limit: 2, window: '1h' });
      await limit.consume('s');
      await engine.advance(10_000);
      await limit.consume('s');
      const { retryAfterMs } = await limit.consume('s');
      assert(retryAfterMs > 3_589_000 && retryAfterMs <= 3_600_000, `${retryAfterMs}`);
      await engine.advance(retryAfterMs);
      assert.equal((await limit.consume('s')).allowed, true);
    });

    test('a token bucket fills step by step, from the hit that found it full', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', bucket);
      const first = await limit.consume('s', { weight: 4 });
      assert.deepEqual([first.limit, first.remaining, first.resetMs], [5, 1, 20_000]);
      await engine.advance(9_000);
      assert.equal((await limit.consume('s', { weight: 2 })).allowed, false);
      await engine.advance(1_000);
      assert.equal((await limit.peek('s')).remaining, 3);
      assert.equal(await admitted(limit, 5), 3);
      assertNear((await limit.consume('s', { weight: 3 })).retryAfterMs, 20_000);
      await engine.advance(40_000);
      assert.deepEqual([(await limit.peek('s')).remaining, (await limit.peek('s')).resetMs], [5, 0]);
    });

    test('GCRA admits a burst, then hits evenly spread', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', gcra);
      assert.equal(await admitted(limit, 5), 2);
      for (let hit = 0; hit < 4; hit++) {
        const { retryAfterMs } = await limit.consume('s');
        assertNear(retryAfterMs, 10_000);
        await engine.advance(retryAfterMs);
        assert.equal(await admitted(limit, 1), 1);
      }
      await engine.advance(5_000);
      assert.equal((await limit.consume('s')).allowed, false);
      await engine.advance(60_000);
      assert.equal(await admitted(limit, 5), 2);
    });

    test('under every rule who waits as told is admitted, and racing processes never exceed it', async (engine) => {
      for (const [index, rule] of everyRule.entries()) {
        const states = await Promise.all([engine.open(), engine.open(), engine.open()]);
        const limits = states.map((state) => state.rateLimit(`l${index}`, rule));
        for (let round = 0; round < 3; round++) {
          const before = await (limits[0] as RateLimit).peek('s');
          const verdicts = await Promise.all(
            Array.from({ length: 60 }, (_, n) => (limits[n % 3] as RateLimit).consume('s')),
          );
          const count = verdicts.filter(({ allowed }) => allowed).length;
          assert(
            count >= before.remaining && count <= before.remaining + 1 && count > 0,
            `${count} ${before.remaining}`,
          );
          await engine.advance((await (limits[0] as RateLimit).peek('s')).retryAfterMs);
        }
      }
    });

    test('under several rules a hit counts under all or none, and each says how it stands', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', ['2 per second', '3 per hour']);
      assert.deepEqual(
        limit.policies.map(({ name, limit: units, windowMs }) => [name, units, windowMs]),
        [
          ['l/1s', 2, 1_000],
          ['l/1h', 3, 3_600_000],
        ],
      );
      assert.equal(await admitted(limit, 10), 2);
      await engine.advance(1_000);
      assert.equal(await admitted(limit, 10), 1);
      const refused = await limit.consume('s');
      assert.deepEqual([refused.reason, refused.limit, refused.remaining], ['limit', 3, 0]);
      assert.deepEqual(
        refused.policies.map(({ remaining }) => remaining),
        [1, 0],
      );
      assert.deepEqual(
        refused.policies.map(({ retryAfterMs }) => retryAfterMs > 0),
        [false, true],
      );
    });

    test('rules of every algorithm hold together', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', [fixed, sliding, bucket, gcra]);
      assert.equal(await admitted(limit, 10), 2);
      await engine.advance(10_000);
      assert.equal(await admitted(limit, 10), 1);
      await engine.advance(50_000);
      assert.equal((await limit.peek('s')).policies.length, 4);
      assert.equal(await limit.reset('s'), true);
      assert.equal(await limit.reset('s'), false);
      assert.equal(await admitted(limit, 10), 2);
    });

    test('a weight above the smallest limit is refused, one that fits is peeked at alike', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', ['2 per second', '3 per hour']);
      await assert.rejects(limit.consume('s', { weight: 3 }), { code: 'InvalidArgument' });
      await assert.rejects(limit.peek('s', { weight: 3 }), { code: 'InvalidArgument' });
      await limit.consume('s');
      assert.equal((await limit.peek('s', { weight: 1 })).allowed, true);
      assert.equal((await limit.peek('s', { weight: 2 })).allowed, false);
    });

    test('a rule given with the call holds for it, on what was counted under its window', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '2 per hour');
      assert.equal(await admitted(limit, 5), 2);
      const pro = await limit.consume('s', { rule: '4 per hour' });
      assert.deepEqual([pro.allowed, pro.limit, pro.remaining], [true, 4, 1]);
      assert.equal((await limit.consume('s')).allowed, false);
      const other = await limit.consume('s', { rule: [{ ...gcra }] });
      assert.deepEqual([other.allowed, other.limit], [true, 2]);
      await assert.rejects(limit.consume('s', { rule: '5 per fortnight' }), { code: 'InvalidArgument' });
    });

    test('a refund takes a hit back, from every rule, once', async (engine) => {
      for (const [index, rule] of [...everyRule, [fixed, sliding, gcra] as RateLimitRules].entries()) {
        const limit = (await engine.open()).rateLimit(`l${index}`, rule);
        const hit = await limit.consume('s', { weight: 2 });
        const { remaining } = await limit.peek('s');
        assert.equal(await limit.refund('s', hit), true);
        const after = await limit.peek('s');
        // GCRA gives back some of it by itself while the refund is under way.
        assert(after.remaining >= remaining + 1 && after.remaining <= remaining + 2, `${index}: ${after.remaining}`);
        await limit.reset('s');
        assert.equal(await limit.refund('s', hit), false);
      }
    });

    test('a refund gives nothing back that time has given back, so that no window takes more', async (engine) => {
      for (const [index, rule] of everyRule.entries()) {
        const limit = (await engine.open()).rateLimit(`l${index}`, rule);
        const old = await limit.consume('s', { weight: 2 });
        await engine.advance(old.resetMs);
        const most = (await limit.peek('s')).remaining;
        assert.equal(await admitted(limit, 10), most);
        assert.equal(await limit.refund('s', old), false, `rule ${index}`);
        assert.equal((await limit.consume('s')).allowed, false);
      }
    });

    test('a refusal cannot be refunded', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '1 per hour');
      await limit.consume('s');
      assert.equal(await limit.refund('s', await limit.consume('s')), false);
      assert.equal((await limit.peek('s')).remaining, 0);
      await assert.rejects(limit.refund('s', {} as never), { code: 'InvalidArgument' });
    });

    test('H.14: a blocked subject is refused under every rule until exactly its time, and counts nothing', async (engine) => {
      const [state, other] = await Promise.all([engine.open(), engine.open()]);
      const limit = state.rateLimit('l', ['2 per second', '3 per hour']);
      await other.rateLimit('l', '1 per day').block('s', '1m');
      const refused = await limit.consume('s');
      assert.deepEqual([refused.allowed, refused.reason, refused.remaining], [false, 'blocked', 0]);
      assertNear(refused.retryAfterMs, 60_000);
      assert.deepEqual([(await limit.peek('s')).reason, (await limit.consume('t')).allowed], ['blocked', true]);
      await engine.advance(refused.retryAfterMs);
      assert.equal((await limit.consume('s')).policies[1]?.remaining, 2);
      await limit.block('s', '1h');
      assert.equal(await limit.reset('s'), true);
      assert.equal((await limit.consume('s')).allowed, true);
      for (const duration of [0, -1, Number.NaN, Infinity, '1 hour'] as number[]) {
        await assert.rejects(limit.block('s', duration), { code: 'InvalidArgument' });
      }
    });

    test('subjects may be listed: allowed without being counted, denied for good', async (engine) => {
      const state = await engine.open();
      const limit = state.rateLimit('l', '1 per hour', {
        allow: ['in', 'both'],
        deny: (subject) => /^both|out$/.test(subject),
      });
      for (let hit = 0; hit < 3; hit++) {
        const allowed = await limit.consume('in');
        assert.deepEqual([allowed.allowed, allowed.remaining, allowed.resetMs], [true, 1, 0]);
      }
      for (const subject of ['out', 'both']) {
        const { allowed, reason, retryAfterMs, policies } = await limit.consume(subject);
        assert.deepEqual([allowed, reason, retryAfterMs, policies], [false, 'denied', Infinity, []]);
        assert.equal((await limit.peek(subject)).reason, 'denied');
      }
      assert.equal((await state.rateLimit('l', '1 per hour').peek('in')).remaining, 1);
      assert.deepEqual(limit.counts(), { admitted: 0, refused: 0, refusedLocally: 0, listed: 5 });
      assert.throws(() => state.rateLimit('l', '1 per hour', { allow: 'in' as never }), { code: 'InvalidArgument' });
      assert.throws(() => state.rateLimit('l', '1 per hour', { deny: [''] }), { code: 'InvalidArgument' });
    });

    test('every rule answers within its edges: full at first, empty at its limit, full again at its reset', async (engine) => {
      for (const [index, rule] of everyRule.entries()) {
        const limit = (await engine.open()).rateLimit(`l${index}`, rule);
        const full = await limit.peek('s');
        assert.equal(full.remaining, full.limit);
        const all = await limit.consume('s', { weight: full.limit });
        assert.deepEqual([all.allowed, all.remaining, all.retryAfterMs], [true, 0, 0]);
        assert.equal((await limit.peek('s', { weight: full.limit })).allowed, false);
        await engine.advance(all.resetMs);
        assert.deepEqual([(await limit.peek('s')).remaining, (await limit.peek('s')).resetMs], [full.limit, 0]);
        assert.equal((await limit.consume('s', { weight: full.limit })).allowed, true);
      }
    });

    test('numbers stay whole up to the largest limits', async (engine) => {
      const most = 999_999_999_999_999;
      const state = await engine.open();
      const rules = {
        fixed: { limit: most, window: '1h' },
        sliding: { algorithm: 'sliding-window', limit: most, window: '1h' },
        bucket: { algorithm: 'token-bucket', capacity: most, refill: most - 1, every: '1h' },
        gcra: { algorithm: 'gcra', limit: 2_501_999_792, window: '1h', burst: 2_501_999_792 },
      } as const satisfies Record<string, RateLimitRules>;
      for (const [name, rule] of Object.entries(rules)) {
        const limit = state.rateLimit(name, rule);
        const { limit: whole } = await limit.peek('s');
        await limit.consume('s', { weight: whole - 1 });
        // A large GCRA limit gives some back each millisecond.
        const nearly = await limit.consume('s');
        assert.equal(nearly.allowed, true, name);
        if (name !== 'gcra') assert.equal((await limit.consume('s')).allowed, false, name);
        await limit.reset('s');
        assert.equal((await limit.peek('s')).remaining, whole, name);
      }
    });

    runMemoryTests(test);
  });
}

function runMemoryTests(test: DeclareTest): void {
  test('a refused subject is refused locally until its time, and a refund, reset or block elsewhere ends that', async (engine) => {
    const [state, other] = await Promise.all([engine.open(), engine.open()]);
    const limit = state.rateLimit('l', '2 per hour');
    const hit = await limit.consume('s', { weight: 2 });
    await untilLocal(limit);
    const before = limit.counts().refused;
    await engine.advance(1_800_000);
    const { retryAfterMs, policies } = await limit.consume('s');
    assertNear(retryAfterMs, 1_800_000);
    assertNear(policies[0]?.resetMs ?? 0, 1_800_000);
    assert.equal(limit.counts().refused, before);
    await other.rateLimit('l', '2 per hour').refund('s', hit);
    await untilAdmitted(limit);
    await limit.consume('s');
    await untilLocal(limit);
    await other.rateLimit('l', '2 per hour').reset('s');
    await untilAdmitted(limit);
    assert.equal((await limit.consume('t')).allowed, true);
  });

  test('a hit of another weight than the one refused is asked about, and another rule as well', async (engine) => {
    const limit = (await engine.open()).rateLimit('l', '3 per hour');
    await limit.consume('s', { weight: 2 });
    await untilLocal(limit, 2);
    assert.equal((await limit.consume('s', { rule: '9 per hour', weight: 2 })).allowed, true);
    await limit.reset('s');
    await limit.consume('s', { weight: 2 });
    await limit.consume('s', { weight: 2 });
    assert.equal((await limit.consume('s')).allowed, true);
  });

  test('a limiter that shall not remember asks every time', async (engine) => {
    const limit = (await engine.open()).rateLimit('l', '1 per hour', { remember: false });
    for (let hit = 0; hit < 5; hit++) await limit.consume('s');
    assert.deepEqual(limit.counts(), { admitted: 1, refused: 4, refusedLocally: 0, listed: 0 });
  });
}

/** Hits until one is refused from memory. */
async function untilLocal(limit: RateLimit, weight: number = 1): Promise<void> {
  const before = limit.counts().refusedLocally;
  await waitUntil('a refusal that is remembered', async () => {
    assert.equal((await limit.consume('s', { weight })).allowed, false);
    return limit.counts().refusedLocally > before;
  });
}

/** Hits until one is admitted: the message that ends a memory is on its way. */
async function untilAdmitted(limit: RateLimit): Promise<void> {
  await waitUntil('the memory of a refusal to end', async () => (await limit.consume('s')).allowed);
}

async function admitted(limit: RateLimit, hits: number): Promise<number> {
  let count = 0;
  for (let hit = 0; hit < hits; hit++) if ((await limit.consume('s')).allowed) count += 1;
  return count;
}

// On a real server time goes on between two calls.
function assertNear(value: number, expected: number): void {
  assert(value > expected - 1_000 && value <= expected + 1, `expected about ${expected}, received ${value}`);
}
