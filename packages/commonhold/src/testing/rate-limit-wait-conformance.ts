import assert from 'node:assert/strict';
import { consumeAll } from '../rate-limit/consume-all.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { pause } from './waiting.js';

/** What every limiter must do for hits that wait, and for hits that stand or fall together. */
export function rateLimitWaitConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'rate limit waiting', (test) => {
    test('a hit that may wait is admitted as soon as it can be, without asking between', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', { limit: 1, window: 300 });
      await limit.consume('s');
      const waiting = limit.consume('s', { wait: '1m' });
      await engine.advance(0);
      await pass(engine, waiting, 300);
      assert.equal((await waiting).allowed, true);
      const { refused, refusedLocally } = limit.counts();
      assert(refused + refusedLocally <= 2, `${refused} ${refusedLocally}`);
    });

    test('a hit that waits keeps its operation id: admitted once, it is admitted again at once', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', { limit: 1, window: 300 });
      await limit.consume('s');
      const waiting = limit.consume('s', { wait: '1m', operationId: 'a' });
      await engine.advance(0);
      await pass(engine, waiting, 300);
      assert.equal((await waiting).allowed, true);
      assert.deepEqual(await limit.consume('s', { wait: '1m', operationId: 'a' }), await waiting);
    });

    test('those that wait are admitted in the order they came', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', { algorithm: 'gcra', limit: 10, window: '1s', burst: 1 });
      const order: number[] = [];
      const hits = Array.from({ length: 5 }, async (_, n) => {
        assert.equal((await limit.consume('s', { wait: '1m' })).allowed, true);
        order.push(n);
      });
      await pass(engine, Promise.all(hits), 500);
      assert.deepEqual(order, [0, 1, 2, 3, 4]);
    });

    test('a wait too short for the limit is refused at once, and holds nobody up', async (engine) => {
      const limit = (await engine.open()).rateLimit('l', '1 per hour');
      await limit.consume('s');
      const verdicts = await Promise.all([limit.consume('s', { wait: '1s' }), limit.consume('s', { wait: '59m' })]);
      assert.deepEqual(
        verdicts.map(({ allowed, reason }) => [allowed, reason]),
        [
          [false, 'limit'],
          [false, 'limit'],
        ],
      );
      await assert.rejects(limit.consume('s', { wait: 0 }), { code: 'InvalidArgument' });
      await assert.rejects(limit.consume('s', { wait: Infinity }), { code: 'InvalidArgument' });
    });

    test('an abort ends the waiting, its own alone, and closing ends all', async (engine) => {
      const state = await engine.open();
      const limit = state.rateLimit('l', '1 per hour');
      await limit.consume('s');
      const abort = new AbortController();
      const reason = new Error('enough');
      const aborted = limit.consume('s', { wait: '2h', signal: abort.signal });
      const behind = limit.consume('s', { wait: '2h' });
      setImmediate(() => abort.abort(reason));
      await assert.rejects(aborted, reason);
      await assert.rejects(limit.consume('s', { wait: '2h', signal: AbortSignal.abort(reason) }), reason);
      const closed = assert.rejects(behind, { code: 'Closed' });
      await state.close();
      await closed;
    });

    test('hits together count under every limit, or under none', async (engine) => {
      const state = await engine.open();
      const byAddress = state.rateLimit('address', '3 per hour');
      const byAccount = state.rateLimit('account', ['1 per second', '5 per day']);
      const hit = (address: string, account: string): ReturnType<typeof consumeAll> =>
        consumeAll([
          { limit: byAddress, subject: address },
          { limit: byAccount, subject: account },
        ]);
      const first = await hit('::1', 'ada');
      assert.deepEqual([first.allowed, first.remaining], [true, 0]);
      assert.deepEqual(
        first.policies.map(({ name, remaining }) => [name, remaining]),
        [
          ['address', 2],
          ['account/1s', 0],
          ['account/1d', 4],
        ],
      );
      for (let tries = 0; tries < 5; tries++) assert.equal((await hit('::1', 'ada')).allowed, false);
      assert.equal((await byAddress.peek('::1')).remaining, 2);
      for (const account of ['bob', 'eve']) assert.equal((await hit('::1', account)).allowed, true);
      const refused = await hit('::1', 'zoe');
      assert.deepEqual([refused.allowed, refused.reason, refused.limit], [false, 'limit', 3]);
      assert.equal((await byAccount.peek('zoe')).policies[1]?.remaining, 5);
    });

    test('however many race, hits together never exceed a limit', async (engine) => {
      const states = await Promise.all([engine.open(), engine.open()]);
      const pairs = states.map(
        (state) => [state.rateLimit('a', '7 per hour'), state.rateLimit('b', '5 per hour')] as const,
      );
      const verdicts = await Promise.all(
        Array.from({ length: 60 }, (_, n) => {
          const [a, b] = pairs[n % 2] as (typeof pairs)[number];
          return consumeAll([
            { limit: a, subject: 's' },
            { limit: b, subject: 't' },
          ]);
        }),
      );
      assert.equal(verdicts.filter(({ allowed }) => allowed).length, 5);
      assert.equal((await states[0]?.rateLimit('a', '7 per hour').peek('s'))?.remaining, 2);
    });

    test('hits together with one that is denied, blocked or wrong leave the others as they were', async (engine) => {
      const state = await engine.open();
      const one = state.rateLimit('one', '3 per hour');
      const other = state.rateLimit('other', '3 per hour', { deny: ['out'] });
      const pair = (subject: string, weight: number = 1): ReturnType<typeof consumeAll> =>
        consumeAll([
          { limit: one, subject: 's', weight: 2 },
          { limit: other, subject, weight },
        ]);
      assert.equal((await pair('out')).reason, 'denied');
      await other.block('t', '1m');
      assert.equal((await pair('t')).reason, 'blocked');
      await assert.rejects(pair('u', 4), { code: 'InvalidArgument' });
      assert.equal((await one.peek('s')).remaining, 3);
      assert.equal((await pair('u', 3)).allowed, true);
      assert.deepEqual([(await one.peek('s')).remaining, (await other.peek('u')).remaining], [1, 0]);
      await assert.rejects(consumeAll([]), { code: 'InvalidArgument' });
    });
  });
}

/** Moves time on while `work` goes on: real timers fire by themselves, those of a manual clock do not. */
async function pass(engine: { advance(ms: number): Promise<void> }, work: Promise<unknown>, ms: number): Promise<void> {
  let done = false;
  const finish = (): void => void (done = true);
  work.then(finish, finish);
  for (let past = 0; past < ms * 40 && !done; past += 10) {
    await pause(1);
    await engine.advance(10);
  }
  await work;
}
