import assert from 'node:assert/strict';
import type { Cache } from '../cache/cache.js';
import type { CacheOptions } from '../cache/cache-options.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

/** What every cache twin must do about tags. */
export function cacheTagConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'tags of cached values', (test) => {
    test('clearing a tag clears what has it, in every process, and nothing else', async (engine) => {
      const [here, there] = [await openTagged(engine), await openTagged(engine)];
      await here.set('a', 1, { tags: ['t', 'u'] });
      await here.set('b', 2, { tags: ['u'] });
      await here.set('c', 3);
      assert.deepEqual([...(await there.getMany(['a', 'b', 'c'])).values()], [1, 2, 3]);
      await here.clearTags(['t']);
      assert.equal(await here.get('a'), undefined);
      await eventually(async () => assert.equal(await there.get('a'), undefined));
      assert.deepEqual(
        [...(await there.getMany(['a', 'b', 'c']))],
        [
          ['b', 2],
          ['c', 3],
        ],
      );
      assert.deepEqual((await there.getMany(['a', 'b'])).missing, ['a']);
    });

    test('a tag is cleared as often as it is cleared, at one moment too', async (engine) => {
      const cache = await openTagged(engine);
      // So many, since a busy machine seldom does all of it in one millisecond.
      for (let n = 0; n < 200; n++) {
        await cache.set('k', n, { tags: ['t'] });
        assert.equal(await cache.get('k'), n);
        await cache.clearTags(['t']);
        assert.equal(await cache.get('k'), undefined);
      }
    });

    test('a process that comes later knows what was cleared', async (engine) => {
      const cache = await openTagged(engine);
      await cache.set('k', 1, { tags: ['t'] });
      await cache.clearTags(['other', 't']);
      const later = await openTagged(engine);
      assert.equal(await later.get('k'), undefined);
      await later.set('k', 2, { tags: ['t'] });
      assert.equal(await later.get('k'), 2);
      assert.equal(await cache.get('k'), 2);
    });

    test('a cleared value is computed anew, by one process', async (engine) => {
      const caches = await Promise.all([1, 2, 3].map(() => openTagged(engine)));
      const [cache = fail()] = caches;
      const tags = ['t'];
      assert.equal(await cache.getOrSet('k', () => 1, { tags }), 1);
      assert.equal(await cache.getOrSet('k', () => 2, { tags }), 1);
      await cache.clearTags(tags);
      let computed = 1;
      assert.equal(await cache.getOrSet('k', () => ++computed, { tags }), 2);
      await eventually(async () => {
        const given = await Promise.all(caches.map((one) => one.getOrSet('k', () => ++computed, { tags })));
        assert.deepEqual(given, [2, 2, 2]);
      });
    });

    test('what was being computed when its tag was cleared does not count', async (engine) => {
      const [here, there] = [await openTagged(engine), await openTagged(engine)];
      let finish: (value: number) => void = () => undefined;
      let computing: Promise<number> | undefined;
      await new Promise<void>((began) => {
        const slow = (): Promise<number> => (began(), new Promise((resolve) => (finish = resolve)));
        computing = here.getOrSet('k', slow, { tags: ['t'] });
      });
      await there.clearTags(['t']);
      finish(1);
      assert.equal(await computing, 1);
      assert.equal(await there.get('k'), undefined);
    });

    test('a near cache hears of it, and stale values do not come back', async (engine) => {
      const options: CacheOptions = { tags: true, near: true, staleFor: '1h', softTimeout: Infinity };
      const [here, there] = [await openTagged(engine, options), await openTagged(engine, options)];
      await here.set('k', 1, { tags: ['t'] });
      await eventually(async () => {
        await here.get('k');
        assert.equal(here.peek('k'), 1);
      });
      await there.clearTags(['t']);
      await eventually(() => assert.equal(here.peek('k'), undefined));
      await eventually(async () => assert.equal(await here.get('k', { stale: true }), undefined));
      await assert.rejects(
        here.getOrSet('k', () => Promise.reject(new Error('no luck'))),
        { message: 'no luck' },
      );
    });

    test('values of every form may have tags, and what is known to be absent', async (engine) => {
      const cache = (await engine.open()).cache<unknown>('c', { tags: true, absentTtl: '1h' });
      for (const value of [
        '',
        'a\nb',
        Buffer.from([5, 10, 0, 255]),
        new Map([[1n, new Date(5)]]),
        'x'.repeat(10_000),
        null,
      ]) {
        await cache.set('k', value, { tags: ['ä"\n:', '*'] });
        assert.deepEqual(await cache.get('k'), value);
      }
      assert.equal(await cache.getOrSet('none', () => undefined, { tags: ['t'] }), undefined);
      assert.deepEqual((await cache.getMany(['none', 'k'])).missing, []);
      await cache.clearTags(['*', 't']);
      assert.deepEqual((await cache.getMany(['none', 'k'])).missing, ['none', 'k']);
    });

    test('nothing that was cleared counts again when the marks are lost', async (engine) => {
      const cache = await openTagged(engine);
      const ports = await engine.ports();
      await cache.set('k', 1, { tags: ['t'] });
      const label = JSON.stringify(['t', 1]);
      await ports.cache.set('c', 'old', `\u0005${label}\n1`, undefined);
      await ports.cache.set('other', 'old', `\u0005${label}\n1`, undefined);
      assert.equal(await cache.get('old'), undefined);
      assert.equal(await (await engine.open()).cache('other', { tags: true }).get('old'), undefined);
    });

    test('a label that cannot be read counts as cleared, and a cache without tags takes none for a value', async (engine) => {
      const [cache, ports] = [await openTagged(engine), await engine.ports()];
      for (const label of ['', '[]', '["t"]', '[1,"t"]', '{"t":1}', '["t",null]', 'x']) {
        await ports.cache.set('c', 'k', `\u0005${label}\n1`, undefined);
        assert.equal(await cache.get('k'), undefined, label);
      }
      assert.equal(await cache.getOrSet('k', () => 2), 2);
      await cache.set('t', 1, { tags: ['t'] });
      assert.equal(await (await engine.open()).cache('c').get('t'), undefined);
    });

    test('so many tags that their marks are joined clear too much rather than too little', async (engine) => {
      const [here, there] = [await openTagged(engine), await openTagged(engine)];
      await here.set('k', 1, { tags: ['t'] });
      await here.set('plain', 1);
      const ports = await engine.ports();
      for (let n = 0; n < 101; n++) {
        await ports.cache.mark(
          'c',
          Array.from({ length: 100 }, (_, tag) => `tag-${n}-${tag}`),
        );
      }
      await eventually(async () => assert.equal(await there.get('k'), undefined));
      assert.ok((await ports.cache.marks('c')).length <= 10_000);
      assert.equal(await there.get('plain'), 1);
      await there.set('k', 2, { tags: ['t'] });
      await eventually(async () => assert.equal(await here.get('k'), 2));
    });

    test('tags out of range are refused', async (engine) => {
      const cache = await openTagged(engine);
      const many = Array.from({ length: 33 }, (_, n) => `t${n}`);
      for (const tags of [[''], ['x'.repeat(129)], ['\ud800'], many, 't' as never, [1] as never]) {
        await assert.rejects(cache.set('k', 1, { tags }), { code: 'InvalidArgument' });
        await assert.rejects(cache.clearTags(tags), { code: 'InvalidArgument' });
      }
      await cache.clearTags([]);
      assert.equal(await cache.get('k'), undefined);
    });
  });
}

async function openTagged(engine: Engine, options: CacheOptions = { tags: true }): Promise<Cache<number>> {
  return (await engine.open()).cache<number>('c', options);
}

function fail(): never {
  throw new Error('fewer caches were opened than asked for');
}
