import assert from 'node:assert/strict';
import type { Cache } from '../cache/cache.js';
import type { CacheOptions } from '../cache/cache-options.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

/** What every near cache must do: answer from this process, and never for long what is no longer right. */
export function cacheNearConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'near cache', (test) => {
    test('what was read once is read here, and seen at once by peek', async (engine) => {
      const cache = await openNear(engine);
      assert.equal(cache.peek('k'), undefined);
      await cache.set('k', 1);
      assert.equal(cache.peek('k'), undefined);
      await keep(cache, 'k', 1);
      const { nearHits } = cache.stats();
      assert.equal(await cache.get('k'), 1);
      assert.equal(await cache.getOrSet('k', () => 2), 1);
      assert.deepEqual([...(await cache.getMany(['k', 'other']))], [['k', 1]]);
      assert.equal(cache.stats().nearHits, nearHits + 3);
    });

    test('every kind of change in another process is heard of', async (engine) => {
      const [here, there] = [await openNear(engine), await openNear(engine)];
      const changes: readonly [name: string, change: () => Promise<unknown>, left: number | undefined][] = [
        ['set', () => there.set('k', 2), 2],
        ['setMany', () => there.setMany([['k', 3]]), 3],
        ['delete', () => there.delete('k'), undefined],
        ['expire', () => there.expire('k'), undefined],
        ['clear', () => there.clear(), undefined],
        ['clear by pattern', () => there.clear({ match: 'k*' }), undefined],
      ];
      for (const [name, change, left] of changes) {
        await here.set('k', 1);
        await keep(here, 'k', 1);
        await change();
        await eventually(() => assert.equal(here.peek('k'), undefined, name));
        assert.equal(await here.get('k'), left, name);
      }
    });

    test('what another process computed takes the place of what was known to be absent', async (engine) => {
      const options: CacheOptions = { near: true, absentTtl: '1h', refreshAt: 0.5 };
      const [here, there] = [await openNear(engine, options), await openNear(engine, options)];
      assert.equal(await here.getOrSet('k', nothing), undefined);
      await eventually(async () => {
        const { nearHits } = here.stats();
        assert.equal(await here.getOrSet('k', nothing), undefined);
        assert.equal(here.stats().nearHits, nearHits + 1);
      });
      await there.set('k', 5);
      await eventually(async () => assert.equal(await here.getOrSet('k', nothing), 5));
    });

    test('a write of one process is read by it at once', async (engine) => {
      const cache = await openNear(engine);
      for (let n = 0; n < 20; n++) {
        await cache.set('k', n);
        assert.equal(await cache.get('k'), n);
        assert.equal(await cache.get('k'), n);
      }
      await cache.delete('k');
      assert.equal(await cache.get('k'), undefined);
    });

    test('a change that nobody announced is seen after thirty seconds at the latest', async (engine) => {
      const here = await openNear(engine);
      const silent = (await engine.open()).cache<number>('c');
      await here.set('k', 1);
      await keep(here, 'k', 1);
      await silent.set('k', 2);
      assert.equal(await here.get('k'), 1);
      await engine.advance(31_000);
      assert.equal(here.peek('k'), undefined);
      assert.equal(await here.get('k'), 2);
    });

    test('a value ends here with its lifetime', async (engine) => {
      const here = await openNear(engine, { near: { ttl: '1h' }, staleFor: '1h', softTimeout: Infinity });
      await here.set('k', 1, { ttl: '10s' });
      await keep(here, 'k', 1);
      await engine.advance(11_000);
      assert.equal(here.peek('k'), undefined);
      assert.equal(await here.getOrSet('k', () => 2), 2);
    });

    test('one cache opened twice has one near cache', async (engine) => {
      const state = await engine.open();
      const [one, two] = [state.cache<number>('c', { near: true }), state.cache<number>('c', { near: true })];
      await one.set('k', 1);
      await keep(one, 'k', 1);
      assert.equal(two.peek('k'), 1);
    });

    test('keys of any kind are dropped when they change; those of great length are never kept', async (engine) => {
      const [here, there] = [await openNear(engine), await openNear(engine)];
      for (const key of ['a:b', '%', '*', '{}', 'ä', ' ', '\n', 'cache:c:k']) {
        await here.set(key, 1);
        await keep(here, key, 1);
        await there.set(key, 2);
        await eventually(() => assert.equal(here.peek(key), undefined, JSON.stringify(key)));
      }
      const long = 'x'.repeat(600);
      await here.set(long, 1);
      for (let n = 0; n < 3; n++) assert.equal(await here.get(long), 1);
      assert.equal(here.peek(long), undefined);
    });

    test('bounds out of range are refused', async (engine) => {
      const state = await engine.open();
      for (const near of [
        { maxEntries: 0 },
        { maxEntries: 1.5 },
        { maxBytes: 10 },
        { ttl: 0 },
        { size: 1 } as object,
      ]) {
        assert.throws(() => state.cache('c', { near }), { code: 'InvalidArgument' });
      }
    });
  });
}

async function openNear(engine: Engine, options: CacheOptions = { near: true }): Promise<Cache<number>> {
  return (await engine.open()).cache<number>('c', options);
}

/** Reads until the near cache holds the value: it keeps nothing before it hears. */
function keep(cache: Cache<number>, key: string, value: number): Promise<void> {
  return eventually(async () => {
    assert.equal(await cache.get(key), value);
    assert.equal(cache.peek(key), value);
  });
}

function nothing(): never {
  return undefined as never;
}
