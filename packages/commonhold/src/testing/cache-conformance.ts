import assert from 'node:assert/strict';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

/** What every cache twin must do. */
export function cacheConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'cache', (test) => {
    test('H.13: an absent key is undefined, and deleting it says so', async (engine) => {
      const cache = (await engine.open()).cache<string>('c');
      assert.equal(await cache.get('absent'), undefined);
      assert.equal(await cache.delete('absent'), false);
    });

    test('a value comes back equal, from another process too', async (engine) => {
      const value = { text: 'é\u0000"', list: [1, null, { deep: true }], at: new Date(5), ids: new Set([1n]) };
      await (await engine.open()).cache('c').set('k', value);
      assert.deepEqual(await (await engine.open()).cache('c').get('k'), value);
    });

    test('H.22: null, false, zero, the empty text and no bytes are values', async (engine) => {
      const cache = (await engine.open()).cache<unknown>('c');
      for (const value of [null, false, 0, '', Buffer.alloc(0), [], {}]) {
        await cache.set('k', value);
        assert.deepEqual(await cache.get('k'), value);
      }
    });

    test('bytes of every value survive', async (engine) => {
      const cache = (await engine.open()).cache<Buffer>('c');
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      await cache.set('k', bytes);
      assert.deepEqual(Buffer.from((await cache.get('k')) ?? []), bytes);
    });

    test('what was read may be changed without changing what is stored', async (engine) => {
      const cache = (await engine.open()).cache<{ n: number } | Buffer>('c');
      await cache.set('o', { n: 1 });
      ((await cache.get('o')) as { n: number }).n = 2;
      assert.deepEqual(await cache.get('o'), { n: 1 });
      await cache.set('b', Buffer.from([1]));
      ((await cache.get('b')) as Buffer)[0] = 2;
      assert.equal(((await cache.get('b')) as Buffer)[0], 1);
    });

    test('H.22: a large value survives, one over the limit is refused and changes nothing', async (engine) => {
      const cache = (await engine.open()).cache<string>('c');
      const large = 'abcdefgh'.repeat(100_000);
      await cache.set('k', large);
      assert.equal(await cache.get('k'), large);
      await assert.rejects(cache.set('k', 'x'.repeat(2 ** 20 + 1)), { code: 'ValueTooLarge' });
      assert.equal(await cache.get('k'), large);
    });

    test('undefined is refused and changes nothing', async (engine) => {
      const cache = (await engine.open()).cache<unknown>('c');
      await cache.set('k', 1);
      await assert.rejects(cache.set('k', undefined), { code: 'InvalidArgument' });
      assert.equal(await cache.get('k'), 1);
    });

    test('a value lives until its lifetime has passed, and setting renews it', async (engine) => {
      const cache = (await engine.open()).cache<number>('c', { ttl: '10s' });
      await cache.set('k', 1);
      await engine.advance(9_000);
      assert.equal(await cache.get('k'), 1);
      await cache.set('k', 2);
      await engine.advance(9_000);
      assert.equal(await cache.get('k'), 2);
      await engine.advance(2_000);
      assert.equal(await cache.get('k'), undefined);
    });

    test('H.16: a lifetime of one call wins, Infinity never ends, thirty days do not end at once', async (engine) => {
      const cache = (await engine.open()).cache<number>('c', { ttl: '1s' });
      await cache.set('long', 1, { ttl: '30d' });
      await cache.set('ever', 1, { ttl: Infinity });
      await cache.set('short', 1);
      await cache.set('tiny', 1, { ttl: 0.5 });
      await engine.advance(29 * 86_400_000);
      assert.deepEqual([...(await cache.getMany(['long', 'ever', 'short', 'tiny'])).keys()], ['long', 'ever']);
    });

    test('H.16: a lifetime of zero, below zero, NaN or 200 years is refused', async (engine) => {
      const cache = (await engine.open()).cache<number>('c');
      for (const ttl of [0, -1, Number.NaN, '73000d' as const]) {
        await assert.rejects(cache.set('k', 1, { ttl }), { code: 'InvalidArgument' });
      }
      assert.equal(await cache.get('k'), undefined);
    });

    test('H.17, H.18: many keys are set and read at once, in different slots too, and nothing is fine', async (engine) => {
      const cache = (await engine.open()).cache<number>('c');
      const entries = Array.from({ length: 200 }, (_, n) => [`key-${n}`, n] as const);
      await cache.setMany(entries);
      const keys = entries.map(([key]) => key);
      assert.deepEqual([...(await cache.getMany([...keys, 'absent']))], entries);
      assert.deepEqual((await cache.getMany(['no', 'key-7', 'neither'])).missing, ['no', 'neither']);
      assert.equal(await cache.deleteMany([...keys, 'absent']), 200);
      await cache.setMany([]);
      assert.equal((await cache.getMany([])).size, 0);
      assert.equal(await cache.deleteMany([]), 0);
    });

    test('caches and namespaces do not see each other', async (engine) => {
      const state = await engine.open();
      const other = await engine.open({ namespace: `${state.namespace}x` });
      await state.cache('a').set('k', 1);
      assert.equal(await state.cache('b').get('k'), undefined);
      assert.equal(await other.cache('a').get('k'), undefined);
    });

    test('H.15: names with structure, globs, spaces, unicode and great length stay apart', async (engine) => {
      const state = await engine.open();
      const names = ['a', 'a:b', 'a}', '{a', '*', 'a*', '?', '[a]', '%3A', ':', ' ', 'ä', '\n', '-', '^', '\\'];
      names.push('x'.repeat(600), `${'x'.repeat(599)}y`);
      for (const [index, name] of names.entries()) await state.cache(name).set(name, index);
      for (const [index, name] of names.entries()) assert.equal(await state.cache(name).get(name), index);
      assert.equal(await state.cache('a:b').get('a'), undefined);
    });

    test('an empty key and a lone surrogate are refused', async (engine) => {
      const cache = (await engine.open()).cache('c');
      await assert.rejects(cache.get(''), { code: 'InvalidArgument' });
      await assert.rejects(cache.set('\ud800', 1), { code: 'InvalidArgument' });
    });

    test('clear removes its own cache and nothing else', async (engine) => {
      const state = await engine.open();
      for (const name of ['a', 'a:a', '*', 'b']) await state.cache(name).set('k', 1);
      assert.equal(await state.cache('*').clear(), 1);
      assert.equal(await state.cache('a').clear(), 1);
      assert.equal(await state.cache('a:a').get('k'), 1);
      assert.equal(await state.cache('b').get('k'), 1);
    });

    test('H.15: clear takes a prefix literally', async (engine) => {
      const cache = (await engine.open()).cache<number>('c');
      const keys = ['user:*', 'user:1', 'user', 'users', `user:*${'y'.repeat(600)}`];
      await cache.setMany(keys.map((key) => [key, 1]));
      assert.equal(await cache.clear({ prefix: 'user:*' }), 2);
      assert.deepEqual([...(await cache.getMany(keys)).keys()], ['user:1', 'user', 'users']);
      assert.equal(await cache.clear({ prefix: 'user' }), 3);
    });

    test('clear takes a pattern only where it is said to be one', async (engine) => {
      const state = await engine.open();
      const cache = state.cache<number>('c');
      const keys = ['user:1', 'user:2', 'user:10', 'user', 'a%b', 'ä:1', `user:${'y'.repeat(600)}`];
      await cache.setMany(keys.map((key) => [key, 1]));
      await state.cache('user:').set('user:1', 1);
      assert.equal(await cache.clear({ match: 'user:?' }), 2);
      assert.equal(await cache.clear({ match: '*:[^2-9]' }), 1);
      assert.equal(await cache.clear({ match: 'a%*' }), 1);
      assert.deepEqual([...(await cache.getMany(keys)).keys()], ['user:10', 'user', `user:${'y'.repeat(600)}`]);
      assert.equal(await cache.clear({ match: 'user*' }), 2);
      assert.equal(await cache.clear({ match: 'nobody' }), 0);
      assert.equal(await state.cache('user:').get('user:1'), 1);
      await assert.rejects(cache.clear({ match: '' }), { code: 'InvalidArgument' });
      await assert.rejects(cache.clear({ match: '*', prefix: 'a' }), { code: 'InvalidArgument' });
    });

    test('a missing value is computed once, however many ask in how many processes', async (engine) => {
      let computed = 0;
      const compute = async (): Promise<{ n: number }> => {
        await new Promise((resolve) => setImmediate(resolve));
        return { n: ++computed };
      };
      const states = await Promise.all([engine.open(), engine.open(), engine.open()]);
      const caches = states.map((state) => state.cache<{ n: number }>('c'));
      const asked = caches.flatMap((cache) => Array.from({ length: 10 }, () => cache.getOrSet('k', compute)));
      assert.deepEqual(
        await Promise.all(asked),
        Array.from({ length: 30 }, () => ({ n: 1 })),
      );
      assert.equal(computed, 1);
    });

    test('a failed computation reaches its caller, and the next one computes', async (engine) => {
      const cache = (await engine.open()).cache<number>('c');
      await assert.rejects(
        cache.getOrSet('k', () => Promise.reject(new Error('no luck'))),
        { message: 'no luck' },
      );
      assert.equal(await cache.getOrSet('k', () => 7), 7);
      assert.equal(await cache.getOrSet('k', () => 8), 7);
    });

    test('another process computes when the computing one fails', async (engine) => {
      const [one, two] = [(await engine.open()).cache<number>('c'), (await engine.open()).cache<number>('c')];
      let fail: (error: Error) => void = () => undefined;
      const began = new Promise<void>((resolve) => {
        const failing = one.getOrSet('k', () => {
          resolve();
          return new Promise<number>((_, reject) => (fail = reject));
        });
        failing.catch(() => undefined);
      });
      await began;
      const waiting = two.getOrSet('k', () => 2);
      fail(new Error('gone'));
      assert.equal(await waiting, 2);
    });

    test('a result of undefined is returned and not stored', async (engine) => {
      const cache = (await engine.open()).cache<number | undefined>('c');
      assert.equal(await cache.getOrSet('k', () => undefined), undefined);
      assert.equal(await cache.getOrSet('k', () => 1), 1);
    });

    test('what was computed before a delete is not stored after it', async (engine) => {
      const [one, two] = [(await engine.open()).cache<number>('c'), (await engine.open()).cache<number>('c')];
      let finish: (value: number) => void = () => undefined;
      let computing: Promise<number> | undefined;
      await new Promise<void>((began) => {
        computing = one.getOrSet('k', () => {
          began();
          return new Promise<number>((resolve) => (finish = resolve));
        });
      });
      await two.delete('k');
      finish(1);
      assert.equal(await computing, 1);
      assert.equal(await two.get('k'), undefined);
    });

    test('what was set while another computed is newer, and stays', async (engine) => {
      const [one, two] = [(await engine.open()).cache<string>('c'), (await engine.open()).cache<string>('c')];
      let finish: (value: string) => void = () => undefined;
      let computing: Promise<string> | undefined;
      await new Promise<void>((began) => {
        computing = one.getOrSet('k', () => {
          began();
          return new Promise<string>((resolve) => (finish = resolve));
        });
      });
      await two.set('k', 'new');
      finish('old');
      assert.equal(await computing, 'old');
      assert.equal(await one.get('k'), 'new');
    });

    test('a computation whose lease has passed is taken over, and its late result is not stored', async (engine) => {
      const options = { computeLease: '5s' } as const;
      const one = (await engine.open()).cache<number>('c', options);
      const two = (await engine.open()).cache<number>('c', options);
      let finish: (value: number) => void = () => undefined;
      let computing: Promise<number> | undefined;
      await new Promise<void>((began) => {
        computing = one.getOrSet('k', () => {
          began();
          return new Promise<number>((resolve) => (finish = resolve));
        });
      });
      await engine.advance(6_000);
      assert.equal(await two.getOrSet('k', () => 2), 2);
      finish(1);
      assert.equal(await computing, 1);
      assert.equal(await two.get('k'), 2);
    });
  });
}
