import assert from 'node:assert/strict';
import type { Cache } from '../cache/cache.js';
import type { CacheOptions } from '../cache/cache-options.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually } from './waiting.js';

const keeping = { ttl: '10s', staleFor: '1h' } as const;

/** What every cache twin must do about values that end: stale ones, failures, time limits, and what is known to be absent. */
export function cacheLifeConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'life of cached values', (test) => {
    test('a stale value is given at once and computed anew in the background, once over all processes', async (engine) => {
      const caches = await openCaches(engine, 3, keeping);
      const [cache = fail()] = caches;
      await cache.set('k', 1);
      await engine.advance(11_000);
      let computed = 0;
      const compute = async (): Promise<number> => (await eventLoopTurn(), (computed += 1) + 1);
      const given = await Promise.all(caches.map((one) => one.getOrSet('k', compute)));
      assert.deepEqual(given, [1, 1, 1]);
      await eventually(async () => assert.equal(await cache.get('k'), 2));
      assert.equal(computed, 1);
      assert.equal(await cache.getOrSet('k', compute), 2);
    });

    test('get and getMany leave a stale value out, unless asked for it', async (engine) => {
      const [cache = fail()] = await openCaches(engine, 1, keeping);
      await cache.setMany([['k', 1]]);
      assert.equal(await cache.get('k'), 1);
      await engine.advance(11_000);
      assert.equal(await cache.get('k'), undefined);
      assert.deepEqual((await cache.getMany(['k'])).missing, ['k']);
      assert.equal(await cache.get('k', { stale: true }), 1);
      assert.deepEqual(cache.stats(), { hits: 1, nearHits: 0, misses: 2, unreadable: 0, stale: 1, degraded: 0 });
      await engine.advance(3_600_000);
      assert.equal(await cache.get('k', { stale: true }), undefined);
    });

    test('a stale value is given when computing fails, and nobody computes again for a while', async (engine) => {
      const options = { ...keeping, retryAfter: '5s' } as const;
      const [one = fail()] = await openCaches(engine, 1, options);
      // This one gives the stale value only when computing has ended, wherever that went on.
      const [patient = fail()] = await openCaches(engine, 1, { ...options, softTimeout: Infinity });
      await one.set('k', 1);
      await engine.advance(11_000);
      let tries = 0;
      const failing = (): Promise<number> => ((tries += 1), Promise.reject(new Error('no luck')));
      assert.equal(await one.getOrSet('k', failing), 1);
      await eventually(() => assert.equal(tries, 1));
      assert.equal(await patient.getOrSet('k', failing), 1);
      assert.equal(await one.getOrSet('k', failing), 1);
      await answered(one, 'k');
      assert.equal(tries, 1);
      await engine.advance(6_000);
      assert.equal(await patient.getOrSet('k', failing), 1);
      assert.equal(tries, 2);
    });

    test('who waits for a new value is given the stale one as soon as computing failed elsewhere', async (engine) => {
      const options = { ...keeping, softTimeout: Infinity, retryAfter: '1h' } as const;
      const [one = fail(), two = fail()] = await openCaches(engine, 2, options);
      await one.set('k', 1);
      await engine.advance(11_000);
      let end: () => void = () => undefined;
      let failing: Promise<number> | undefined;
      await new Promise<void>((began) => {
        failing = one.getOrSet('k', () => {
          began();
          return new Promise((_, reject) => (end = () => reject(new Error('no luck'))));
        });
      });
      let tries = 0;
      const waiting = two.getOrSet('k', () => (tries += 1));
      await answered(two, 'k');
      end();
      assert.deepEqual(await Promise.all([failing, waiting]), [1, 1]);
      assert.equal(await two.getOrSet('k', () => (tries += 1)), 1);
      assert.equal(tries, 0);
    });

    test('without a stale value a failure reaches its caller', async (engine) => {
      const [cache = fail()] = await openCaches(engine, 1, keeping);
      await assert.rejects(
        cache.getOrSet('k', () => Promise.reject(new Error('no luck'))),
        { message: 'no luck' },
      );
    });

    test('a soft time limit gives the stale value while computing goes on', async (engine) => {
      const [cache = fail()] = await openCaches(engine, 1, { ...keeping, softTimeout: '2s' });
      await cache.set('k', 1);
      await engine.advance(11_000);
      assert.equal(await cache.getOrSet('k', () => 2), 2);
      await engine.advance(11_000);
      const slow = slowly<number>();
      const given = cache.getOrSet('k', slow.compute);
      await slow.began;
      await engine.advance(3_000);
      assert.equal(await given, 2);
      slow.finish(3);
      await eventually(async () => assert.equal(await cache.get('k'), 3));
    });

    test('a hard time limit aborts the signal and fails, and the next one computes', async (engine) => {
      const [cache = fail()] = await openCaches(engine, 1, { hardTimeout: '2s' });
      const slow = slowly<number>();
      const failed = assert.rejects(cache.getOrSet('k', slow.compute), { code: 'ComputeTimeout' });
      const signal = await slow.began;
      assert.equal(signal.aborted, false);
      await engine.advance(3_000);
      await failed;
      assert.equal(signal.aborted, true);
      slow.finish(1);
      assert.equal(await cache.get('k'), undefined);
      assert.equal(await cache.getOrSet('k', () => 2), 2);
    });

    test('expire leaves a value to fall back on, delete does not', async (engine) => {
      const [one = fail(), two = fail()] = await openCaches(engine, 2, { ...keeping, softTimeout: Infinity });
      await one.set('k', 1, { ttl: Infinity });
      assert.equal(await two.expire('k'), true);
      assert.equal(await two.expire('k'), false);
      assert.equal(await one.get('k'), undefined);
      assert.equal(await one.getOrSet('k', () => Promise.reject(new Error('no luck'))), 1);
      await one.delete('k');
      await assert.rejects(one.getOrSet('k', () => Promise.reject(new Error('no luck'))));
      const [plain = fail()] = await openCaches(engine, 1, {}, 'plain');
      await plain.set('k', 1);
      assert.equal(await plain.expire('k'), true);
      assert.equal(await plain.get('k'), undefined);
    });

    test('what was computed before an expiry is not stored after it', async (engine) => {
      const [one = fail(), two = fail()] = await openCaches(engine, 2, keeping);
      const slow = slowly<number>();
      const computing = one.getOrSet('k', slow.compute);
      await slow.began;
      await two.expire('k');
      slow.finish(1);
      assert.equal(await computing, 1);
      assert.equal(await two.get('k', { stale: true }), undefined);
    });

    test('what was set for a shorter time while another computed is newer, and stays', async (engine) => {
      const [one = fail(), two = fail()] = await openCaches(engine, 2, { ttl: '10s', refreshAt: 0.5 });
      await one.set('k', 1);
      await engine.advance(6_000);
      const slow = slowly<number>();
      assert.equal(await one.getOrSet('k', slow.compute), 1);
      await slow.began;
      await two.set('k', 3, { ttl: '4s' });
      slow.finish(2);
      await answered(one, 'k');
      assert.equal(await one.get('k'), 3);
    });

    test('a value near its end is computed anew before it ends', async (engine) => {
      const [cache = fail()] = await openCaches(engine, 1, { ttl: '10s', refreshAt: 0.8 });
      await cache.set('k', 1);
      await engine.advance(7_000);
      assert.equal(await cache.getOrSet('k', () => 2), 1);
      await answered(cache, 'k');
      assert.equal(await cache.get('k'), 1);
      await engine.advance(2_000);
      assert.equal(await cache.getOrSet('k', () => 2), 1);
      await eventually(async () => assert.equal(await cache.get('k'), 2));
      await engine.advance(7_000);
      assert.equal(await cache.get('k'), 2);
    });

    test('that there is nothing is remembered for its own time', async (engine) => {
      const options: CacheOptions = { absentTtl: '10s' };
      const cache = (await engine.open()).cache<number | undefined>('c', options);
      let computed = 0;
      const compute = (): undefined => void (computed += 1);
      assert.equal(await cache.getOrSet('k', compute), undefined);
      assert.equal(await cache.getOrSet('k', compute), undefined);
      assert.equal(computed, 1);
      assert.equal(await cache.get('k'), undefined);
      assert.deepEqual((await cache.getMany(['k', 'other'])).missing, ['other']);
      await engine.advance(11_000);
      assert.equal(await cache.getOrSet('k', compute), undefined);
      assert.equal(computed, 2);
      await cache.set('k', 1);
      assert.equal(await cache.getOrSet('k', compute), 1);
    });

    test('a stale value ends when there is nothing any more', async (engine) => {
      const options = { ...keeping, softTimeout: Infinity } as const;
      const cache = (await engine.open()).cache<number | undefined>('c', options);
      await cache.set('k', 1);
      await engine.advance(11_000);
      assert.equal(await cache.getOrSet('k', () => undefined), undefined);
      await engine.advance(1_000);
      assert.equal(await cache.get('k', { stale: true }), undefined);
    });

    test('lifetimes are spread by their jitter, never beyond', async (engine) => {
      const [cache = fail()] = await openCaches(engine, 1, { ttl: '100s', jitter: 0.5 });
      const keys = Array.from({ length: 100 }, (_, n) => `k${n}`);
      await cache.setMany(keys.map((key) => [key, 1]));
      await engine.advance(49_000);
      assert.equal((await cache.getMany(keys)).size, 100);
      await engine.advance(26_000);
      const left = (await cache.getMany(keys)).size;
      assert.ok(left > 20 && left < 80, `${left} of 100 are left after three quarters`);
      await engine.advance(26_000);
      assert.equal((await cache.getMany(keys)).size, 0);
    });

    test('options out of range are refused', async (engine) => {
      const state = await engine.open();
      const wrong: CacheOptions[] = [
        { jitter: 1 },
        { jitter: -1 },
        { refreshAt: 0 },
        { refreshAt: 1 },
        { staleFor: 0 },
      ];
      wrong.push(
        { absentTtl: -1 },
        { hardTimeout: 0 },
        { retryAfter: 0 },
        { softTimeout: -1 },
        { refreshAt: Number.NaN },
      );
      for (const options of wrong) assert.throws(() => state.cache('c', options), { code: 'InvalidArgument' });
    });
  });
}

function openCaches(engine: Engine, count: number, options: CacheOptions, name = 'c'): Promise<Cache<number>[]> {
  return Promise.all(Array.from({ length: count }, async () => (await engine.open()).cache<number>(name, options)));
}

/** A computation that begins, and ends when it is told to. */
function slowly<Value>(): {
  readonly began: Promise<AbortSignal>;
  readonly compute: (controls: { readonly signal: AbortSignal }) => Promise<Value>;
  readonly finish: (value: Value) => void;
} {
  let begin: (signal: AbortSignal) => void = () => undefined;
  let finish: (value: Value) => void = () => undefined;
  const result = new Promise<Value>((resolve) => (finish = resolve));
  const began = new Promise<AbortSignal>((resolve) => (begin = resolve));
  const compute = ({ signal }: { readonly signal: AbortSignal }): Promise<Value> => (begin(signal), result);
  return { began, compute, finish };
}

/**
 * Resolves when everything that goes on about `key` behind this cache was answered by the store. A process asks for one key
 * on one connection, which answers in order: each look here ends with whatever was sent before it, and what follows on
 * that is sent before the next. Making a value takes three steps (read, claim, release), scripts not loaded yet two more.
 */
async function answered(cache: Cache<number>, key: string): Promise<void> {
  for (let step = 0; step < 6; step++) {
    await eventLoopTurn();
    await cache.get(key);
  }
}

function fail(): never {
  throw new Error('fewer caches were opened than asked for');
}
