import assert from 'node:assert/strict';
import { consumeAll } from '../rate-limit/consume-all.js';
import type { RateLimit } from '../rate-limit/rate-limit.js';
import type { RateLimitRules } from '../rate-limit/rule-set.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

const kinds: readonly RateLimitRules[] = [
  '5 per hour',
  { algorithm: 'sliding-window', limit: 5, window: '1h' },
  { algorithm: 'token-bucket', capacity: 5, refill: 1, every: '1h' },
  { algorithm: 'gcra', limit: 5, window: '5h', burst: 5 },
  ['5 per hour', { algorithm: 'sliding-window', limit: 6, window: '1d' }],
];

/** What every limiter twin must do with hits that have an operation id. */
export function rateLimitOperationConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'rate limit operations', (test) => {
    test('a hit with an id counts once, however often it is done, and is answered as the first time', async (engine) => {
      const states = [await engine.open(), await engine.open()];
      for (const [index, rules] of kinds.entries()) {
        const [one, two] = states.map((state) => state.rateLimit(`l${index}`, rules)) as [RateLimit, RateLimit];
        const first = await one.consume('s', { operationId: 'a', weight: 2 });
        assert.deepEqual([first.allowed, first.remaining], [true, 3]);
        assert.equal((await two.consume('s')).remaining, 2);
        assert.deepEqual(await two.consume('s', { operationId: 'a', weight: 2 }), first);
        assert.equal((await one.consume('s', { operationId: 'b' })).remaining, 1);
        assert.equal((await two.peek('s')).remaining, 1);
      }
    });

    test('one operation done by many at once counts once', async (engine) => {
      const states = await Promise.all([engine.open(), engine.open()]);
      const limits = states.map((state) => state.rateLimit('l', '10 per hour'));
      const hits = Array.from({ length: 60 }, (_, n) =>
        (limits[n % 2] as RateLimit).consume('s', { operationId: `${n % 3}` }),
      );
      assert.equal((await Promise.all(hits)).filter(({ allowed }) => allowed).length, 60);
      assert.equal((await limits[0]?.peek('s'))?.remaining, 7);
    });

    test('an admitted hit is admitted again when the limit is reached or the subject blocked', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '2 per hour');
      await limit.consume('s', { operationId: 'a' });
      await limit.consume('s');
      await limit.consume('s');
      assert.equal((await limit.consume('s')).allowed, false);
      assert.equal((await limit.consume('s', { operationId: 'a' })).allowed, true);
      await limit.block('s', '1h');
      assert.equal((await limit.consume('s', { operationId: 'a' })).allowed, true);
      assert.equal((await limit.consume('s', { operationId: 'b' })).allowed, false);
    });

    test('a refused hit counted nothing, and may be admitted later under the same id', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '1 per 10 seconds');
      await limit.consume('s');
      for (let n = 0; n < 3; n++) assert.equal((await limit.consume('s', { operationId: 'a' })).allowed, false);
      await engine.advance(11_000);
      assert.equal((await limit.consume('s', { operationId: 'a' })).allowed, true);
      assert.equal((await limit.consume('s', { operationId: 'a' })).allowed, true);
      assert.equal((await limit.consume('s')).allowed, false);
    });

    test('an operation is remembered for ten minutes', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '5 per day');
      await limit.consume('s', { operationId: 'a' });
      await engine.advance(599_000);
      assert.equal((await limit.consume('s', { operationId: 'a' })).remaining, 4);
      await engine.advance(2_000);
      assert.equal((await limit.consume('s', { operationId: 'a' })).remaining, 3);
    });

    test('an id is refused to a hit of another weight or under other rules, and nothing is counted', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '5 per hour');
      await limit.consume('s', { operationId: 'a' });
      const refused = { code: 'InvalidArgument' };
      await assert.rejects(limit.consume('s', { operationId: 'a', weight: 2 }), refused);
      await assert.rejects(limit.consume('s', { operationId: 'a', rule: '5 per day' }), refused);
      assert.equal((await limit.peek('s')).remaining, 4);
      assert.equal((await limit.consume('t', { operationId: 'a', weight: 2 })).remaining, 3);
    });

    test('the hit of an operation is refunded once, however often that is done', async (engine) => {
      for (const [index, rules] of kinds.entries()) {
        const limit = (await engine.open()).rateLimit(`l${index}`, rules);
        const verdict = await limit.consume('s', { operationId: 'a', weight: 2 });
        await limit.consume('s', { weight: 2 });
        assert.equal(await limit.refund('s', verdict, { operationId: 'a' }), true);
        assert.equal(await limit.refund('s', verdict, { operationId: 'a' }), false);
        assert.equal(await limit.refund('s', verdict, { operationId: 'never' }), false);
        assert.equal((await limit.peek('s')).remaining, 3);
      }
    });

    test('under several limits a hit counts once or not at all, also when it is done again', async (engine) => {
      const state = await engine.open();
      const [wide, narrow] = [state.rateLimit('wide', '9 per hour'), state.rateLimit('narrow', '2 per hour')];
      const both = (operationId: string): Promise<{ allowed: boolean }> =>
        consumeAll([
          { limit: wide, subject: 'address', operationId },
          { limit: narrow, subject: 'account', operationId },
        ]);
      for (const id of ['a', 'a', 'b', 'a', 'b']) assert.equal((await both(id)).allowed, true);
      for (let n = 0; n < 3; n++) assert.equal((await both('c')).allowed, false);
      assert.equal((await wide.peek('address')).remaining, 7);
      await narrow.reset('account');
      assert.equal((await both('c')).allowed, true);
      assert.equal((await wide.peek('address')).remaining, 6);
    });

    test('bad ids are refused, and ids where none is looked at', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '5 per hour');
      const refused = { code: 'InvalidArgument' };
      for (const operationId of ['', '\ud800', 'x'.repeat(257), 5, null] as string[]) {
        await assert.rejects(limit.consume('s', { operationId }), refused);
      }
      await assert.rejects(limit.peek('s', { operationId: 'a' } as object), refused);
      await assert.rejects(limit.reset('s', { operationId: 'a' } as object), refused);
      const verdict = await limit.consume('s', { operationId: 'x'.repeat(256) });
      await assert.rejects(limit.refund('s', verdict, { operationId: '' }), refused);
      assert.equal((await limit.peek('s')).remaining, 4);
    });
  });
}
