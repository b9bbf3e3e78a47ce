import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.js';
import type { CacheOptions } from '../../src/cache/cache-options.js';
import type { OpenOptions } from '../../src/options.js';
import { startFaultProxy } from '../../src/testing/fault-proxy.js';
import { eventually } from '../../src/testing/waiting.js';
import { type OutageSite, useOutages } from '../outage.js';

const unavailable = { code: 'Unavailable' };

/** Opens a cache with a deadline that a busy machine keeps: what takes longer counts as a miss. */
async function openCache(
  site: OutageSite,
  options?: CacheOptions,
  { url = site.server.url, ...open }: OpenOptions & { readonly url?: string } = {},
): Promise<Cache<number>> {
  const state = await site.open({ ...open, redis: { url, cacheDeadline: 5_000 } });
  return state.cache<number>('c', options);
}

describe('a cache without Redis', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('finds nothing, computes, writes nothing, and never throws', async () => {
    const site = await start();
    const cache = await openCache(site);
    const near = await openCache(site, { near: true, tags: true, staleFor: '1m' });
    await cache.set('k', 1);
    await site.leave();
    expect(await cache.get('k')).toBeUndefined();
    expect((await cache.getMany(['k', 'j'])).missing).toEqual(['k', 'j']);
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, degraded: 3 });
    for (const one of [cache, near]) {
      await one.set('s', 1);
      await one.setMany([['s', 2]]);
      expect([await one.delete('d'), await one.deleteMany(['d', 'e']), await one.expire('x')]).toEqual([
        false,
        0,
        false,
      ]);
      expect(await one.get('k', { stale: true })).toBeUndefined();
      expect((await one.getMany(['s'])).missing).toEqual(['s']);
    }
    await near.set('t', 1, { tags: ['t'] });
    await near.clearTags(['t']);
    await expect(cache.clear()).rejects.toMatchObject(unavailable);
    await site.comeBack();
    expect(await cache.get('k')).toBe(1);
    await cache.set('s', 3);
    expect(await cache.get('s')).toBe(3);
  });

  it('CA: what was removed or written meanwhile does not come back, in no process', async () => {
    const site = await start();
    const [cache, other] = [await openCache(site, { staleFor: '1h' }), await openCache(site, { staleFor: '1h' })];
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    await cache.setMany([...keys, 'kept'].map((key) => [key, 1] as const));
    await site.leave();
    for (const [index, key] of keys.entries()) {
      if (index % 3 === 0) await cache.delete(key);
      else await (index % 3 === 1 ? cache.set(key, 2) : cache.expire(key));
    }
    let reading = true;
    const seen = new Set<number | undefined>();
    const readers = keys.map(async (key) => {
      while (reading) {
        seen.add(await cache.get(key));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    });
    await site.comeBack();
    reading = false;
    await Promise.all(readers);
    expect([...seen]).toEqual([undefined]);
    for (const one of [cache, other]) {
      expect((await one.getMany(keys)).size).toBe(0);
      expect(await one.get('k2', { stale: true })).toBe(1);
      expect(await one.get('k0', { stale: true })).toBeUndefined();
      expect(await one.get('kept')).toBe(1);
    }
  });

  it('CA: a tag that was cleared meanwhile is cleared before any value is read', async () => {
    const site = await start();
    const options = { tags: true, near: true };
    const [cache, other] = [await openCache(site, options), await openCache(site, options)];
    await cache.set('tagged', 1, { tags: ['t'] });
    await cache.set('plain', 1);
    expect(await cache.get('tagged')).toBe(1);
    await site.leave();
    await cache.clearTags(['t']);
    await cache.clearTags(['t', 'u']);
    let reading = true;
    const seen = new Set<number | undefined>();
    const reader = (async () => {
      while (reading) {
        seen.add(await cache.get('tagged'));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    await site.comeBack();
    reading = false;
    await reader;
    expect([...seen]).toEqual([undefined]);
    expect([await cache.get('plain'), await other.get('tagged')]).toEqual([1, undefined]);
    await cache.set('tagged', 2, { tags: ['t'] });
    expect([await cache.get('tagged'), await other.get('tagged')]).toEqual([2, 2]);
  });

  it('CA: near copies are given while Redis is away, and dropped when it is back', async () => {
    const site = await start();
    const [cache, other] = [await openCache(site, { near: true }), await openCache(site, { near: true })];
    const keys = ['a', 'b', 'c'];
    for (const key of keys) await cache.set(key, 1);
    await eventually(async () => {
      for (const key of keys) expect([await cache.get(key), cache.peek(key)]).toEqual([1, 1]);
    });
    await site.leave();
    expect([await cache.get('a'), await cache.getOrSet('a', () => 2)]).toEqual([1, 1]);
    expect(Object.fromEntries(await cache.getMany(keys))).toEqual({ a: 1, b: 1, c: 1 });
    // What changed here is not given, and nobody else hears of it.
    await cache.set('b', 2);
    await cache.delete('c');
    expect(await cache.getMany(['b', 'c'])).toHaveProperty('missing', ['b', 'c']);
    expect(await other.get('a')).toBeUndefined();
    await site.server.restart();
    await site.server.command('SET', 'n:cache:{c:a}', '3');
    await site.comeBack();
    await eventually(async () => expect([await cache.get('a'), await cache.get('c')]).toEqual([3, undefined]));
  });

  it('CA: what cannot be noted is refused where it removes, and goes on where it writes', async () => {
    const site = await start();
    const cache = await openCache(site, {}, { journal: { maxBytes: 8_000 } });
    await cache.set('k', 1);
    await site.leave();
    for (let index = 0; index < 100; index++) await cache.set(`s${index}`, 1);
    // Sets leave room for what must not be lost.
    for (let index = 0; index < 5; index++) await cache.delete(`d${index}`);
    const all = Array.from({ length: 100 }, (_, index) => `d${index}`);
    await expect(cache.deleteMany(all)).rejects.toMatchObject({ code: 'Overloaded' });
    await cache.set('k', 2);
    await site.comeBack();
    expect(await cache.get('d0')).toBeUndefined();
  });

  it('CA: who lost the answer to its claim gives that back, so that nobody waits for its lease', async () => {
    const site = await start();
    const lease = { computeLease: '60s' } as const;
    const proxy = await startFaultProxy({ port: site.server.port });
    const direct = connect(site.server.port, '127.0.0.1');
    try {
      const cache = await openCache(site, lease, { url: `redis://127.0.0.1:${proxy.port}` });
      const other = await openCache(site, lease);
      await cache.getOrSet('script', () => 0);
      proxy.onRequest = (chunk) => {
        if (!chunk.includes(':claim')) return 'pass';
        proxy.onRequest = undefined;
        direct.write(chunk);
        return 'reset';
      };
      expect(await cache.getOrSet('k', () => 1)).toBe(1);
      const sinceMs = performance.now();
      expect(await other.getOrSet('k', () => 2)).toBe(2);
      expect(performance.now() - sinceMs).toBeLessThan(30_000);
    } finally {
      direct.destroy();
      await proxy.stop();
    }
  });

  it('rejects where it is to be told, and computes then too', async () => {
    const site = await start();
    const cache = await openCache(site, { away: 'throw' });
    const state = await site.open({ away: 'throw', redis: { url: site.server.url, cacheDeadline: 5_000 } });
    await cache.set('k', 1);
    await site.leave();
    for (const one of [cache, state.cache<number>('c')]) {
      await expect(one.get('k')).rejects.toMatchObject(unavailable);
      await expect(one.getMany(['k'])).rejects.toMatchObject(unavailable);
      await expect(one.set('k', 2)).rejects.toMatchObject(unavailable);
      await expect(one.delete('k')).rejects.toMatchObject(unavailable);
      expect(await one.getOrSet('k', () => 3)).toBe(3);
    }
    await site.comeBack();
    expect(await cache.get('k')).toBe(1);
    expect(() => state.cache('d', { away: 'closed' as 'throw' })).toThrow("away: expected 'open' or 'throw'");
  });
});
