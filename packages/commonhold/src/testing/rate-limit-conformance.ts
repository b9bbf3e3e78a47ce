import assert from 'node:assert/strict';
import type { RateLimit } from '../rate-limit/rate-limit.js';
import type { RateLimitVerdict } from '../rate-limit/verdict.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

const dayMs = 86_400_000;

/** What every limiter twin must do. */
export function rateLimitConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'rate limit', (test) => {
    test('admits up to the limit, then refuses until the window ends', async (engine) => {
      const limit = (await engine.open()).rateLimit('enroll', '5 per hour');
      for (const remaining of [4, 3, 2, 1, 0]) {
        const verdict = await limit.consume('10.0.0.1');
        assert.deepEqual([verdict.allowed, verdict.limit, verdict.remaining], [true, 5, remaining]);
        assert.equal(verdict.retryAfterMs, 0);
        assertBetween(verdict.resetMs, 3_590_000, 3_600_000);
      }
      const refused = await limit.consume('10.0.0.1');
      assert.deepEqual([refused.allowed, refused.limit, refused.remaining], [false, 5, 0]);
      assert.equal(refused.retryAfterMs, refused.resetMs);
      assertBetween(refused.retryAfterMs, 3_590_000, 3_600_000);
    });

    test('H.11: the first hit opens a window of exactly the time of the rule', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', { limit: 2, window: 1_500 });
      assert.equal((await limit.consume('s')).resetMs, 1_500);
    });

    test('who waits as told is admitted, into a window of its own', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '2 per minute');
      await limit.consume('s');
      await engine.advance(20_000);
      await limit.consume('s');
      const refused = await limit.consume('s');
      assertBetween(refused.retryAfterMs, 39_000, 40_000);
      await engine.advance(refused.retryAfterMs);
      const admitted = await limit.consume('s');
      assert.deepEqual([admitted.allowed, admitted.remaining, admitted.resetMs], [true, 1, 60_000]);
    });

    test('refused hits count nothing and prolong nothing', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '1 per minute');
      await limit.consume('s');
      for (let hit = 0; hit < 5; hit++) {
        await engine.advance(11_000);
        assert.equal((await limit.consume('s')).allowed, false);
      }
      await engine.advance(6_000);
      assert.equal((await limit.consume('s')).allowed, true);
    });

    test('H.19: however many processes race, the limit holds and is used up', async (engine) => {
      const states = await Promise.all([engine.open(), engine.open(), engine.open()]);
      const limits = states.map((state) => state.rateLimit('l', '10 per hour'));
      const hits = Array.from({ length: 300 }, (_, n) => (limits[n % 3] as RateLimit).consume('s'));
      const admitted = (await Promise.all(hits)).filter((verdict) => verdict.allowed);
      const remaining = admitted.map((verdict) => verdict.remaining).toSorted((a, b) => a - b);
      assert.deepEqual(remaining, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    test('a hit may weigh more; one that does not fit leaves room for a lighter one', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '10 per hour');
      assert.equal((await limit.consume('s', { weight: 7 })).remaining, 3);
      const refused = await limit.consume('s', { weight: 4 });
      assert.deepEqual([refused.allowed, refused.remaining], [false, 3]);
      assert(refused.retryAfterMs > 0);
      assert.equal((await limit.consume('s', { weight: 3 })).remaining, 0);
      assert.equal((await limit.consume('t', { weight: 10 })).allowed, true);
    });

    test('a weight that is no whole number from 1 to the limit is refused and counts nothing', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '10 per hour');
      for (const weight of [0, -1, 11, 1.5, Number.NaN, Infinity, '1', null] as number[]) {
        await assert.rejects(limit.consume('s', { weight }), { code: 'InvalidArgument' });
      }
      assert.equal((await limit.peek('s')).remaining, 10);
    });

    test('peek tells without counting, and knows of no window before the first hit', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '2 per hour');
      const isFresh = ({ allowed, remaining, resetMs, retryAfterMs }: RateLimitVerdict): void =>
        assert.deepEqual([allowed, remaining, resetMs, retryAfterMs], [true, 2, 0, 0]);
      isFresh(await limit.peek('s'));
      await limit.consume('s');
      assert.equal((await limit.peek('s')).remaining, 1);
      const open = await limit.peek('s');
      assert.deepEqual([open.allowed, open.remaining], [true, 1]);
      assertBetween(open.resetMs, 3_590_000, 3_600_000);
      await limit.consume('s');
      const closed = await limit.peek('s');
      assert.deepEqual([closed.allowed, closed.remaining], [false, 0]);
      assert.equal(closed.retryAfterMs, closed.resetMs);
      await engine.advance(3_600_000);
      isFresh(await limit.peek('s'));
    });

    test('reset forgets one subject and says whether there was anything', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '1 per hour');
      await Promise.all([limit.consume('s'), limit.consume('t')]);
      assert.equal(await limit.reset('s'), true);
      assert.equal(await limit.reset('s'), false);
      assert.equal((await limit.consume('s')).allowed, true);
      assert.equal((await limit.consume('t')).allowed, false);
    });

    test('H.16: a window of half a second ends, one of a hundred years does not', async (engine) => {
      const state = await engine.open();
      const short = state.rateLimit('short', { limit: 1, window: 500 });
      const tiny = state.rateLimit('tiny', { limit: 1, window: 0.5 });
      const long = state.rateLimit('long', { limit: 1, window: '36500d' });
      await Promise.all([short.consume('s'), tiny.consume('s'), long.consume('s')]);
      await engine.advance(500);
      assert.equal((await short.consume('s')).allowed, true);
      assert.equal((await tiny.consume('s')).allowed, true);
      await engine.advance(99 * 365 * dayMs);
      assert.equal((await long.consume('s')).allowed, false);
      assertBetween((await long.peek('s')).resetMs, 364 * dayMs, 365 * dayMs);
    });

    test('a rule with another window counts apart, one with another limit does not', async (engine) => {
      const state = await engine.open();
      const perHour = state.rateLimit('l', '2 per hour');
      await perHour.consume('s');
      await perHour.consume('s');
      assert.equal((await state.rateLimit('l', '2 per minute').consume('s')).remaining, 1);
      assert.equal((await state.rateLimit('l', '3 per hour').consume('s')).remaining, 0);
      const lowered = await state.rateLimit('l', '1 per 60 minutes').consume('s');
      assert.deepEqual([lowered.allowed, lowered.remaining], [false, 0]);
    });

    test('limiters, subjects and namespaces do not share windows, whatever their names', async (engine) => {
      const state = await engine.open();
      const other = await engine.open({ namespace: `${state.namespace}x` });
      const names = ['a', 'a:b', 'b', 'a}', '{a', '*', '?', '[a]', '%3A', ':', ' ', 'ä', '\n', '::1', 'fe80::1%eth0'];
      names.push('x'.repeat(600), `${'x'.repeat(599)}y`);
      for (const name of names) {
        for (const subject of names) {
          assert.equal((await state.rateLimit(name, '1 per hour').consume(subject)).allowed, true);
        }
      }
      assert.equal((await state.rateLimit('a', '1 per hour').consume('a:b')).allowed, false);
      assert.equal((await other.rateLimit('a', '1 per hour').consume('a:b')).allowed, true);
    });

    test('a subject that is missing or no text is refused, never unlimited', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '1 per hour');
      for (const subject of ['', '\ud800', undefined, null, 7] as string[]) {
        await assert.rejects(limit.consume(subject), { code: 'InvalidArgument' });
        await assert.rejects(limit.peek(subject), { code: 'InvalidArgument' });
        await assert.rejects(limit.reset(subject), { code: 'InvalidArgument' });
      }
    });

    test('a subject that is none is refused, with the name of the limit', async (engine) => {
      const limit = (await engine.open()).rateLimit('login', '5 per hour');
      const bad = [undefined as unknown as string, '', 7 as unknown as string];
      for (const subject of bad) {
        const message = /^rate limit login, \w+, subject: expected a non-empty text, received/;
        for (const call of [
          limit.consume(subject),
          limit.peek(subject),
          limit.reset(subject),
          limit.block(subject, 1),
        ]) {
          await assert.rejects(call, { code: 'InvalidArgument', message });
        }
        assert.throws(() => limit.refusal(subject), { code: 'InvalidArgument', message });
      }
    });

    test('a bad name or rule is refused when the limiter is made', async (engine) => {
      const state = await engine.open();
      assert.throws(() => state.rateLimit('', '5 per hour'), { code: 'InvalidArgument' });
      assert.throws(() => state.rateLimit('l', '5 per fortnight'), { code: 'InvalidArgument' });
    });
  });
}

function assertBetween(value: number, least: number, most: number): void {
  assert(value >= least && value <= most, `expected ${least} to ${most}, received ${value}`);
}
