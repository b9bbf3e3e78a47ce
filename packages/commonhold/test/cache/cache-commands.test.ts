import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { useServer } from '../engines.js';

describe('commands of the cache', () => {
  const server = useServer();

  async function commandsOf(work: (state: SharedState) => Promise<unknown>): Promise<string[]> {
    const state = await openState({ namespace: 'commands', redis: server().url });
    try {
      // The first run of a script sends its text as well.
      await work(state);
      await server().command('FLUSHDB');
      const names = await countCommands(server(), () => work(state));
      return names.map((name) => name.replace(/ .*/, ''));
    } finally {
      await state.close();
    }
  }

  it('get, set, delete: one each', async () => {
    expect(await commandsOf((state) => state.cache('c').get('k'))).toEqual(['GET']);
    expect(await commandsOf((state) => state.cache('c').set('k', 1))).toEqual(['SET']);
    expect(await commandsOf((state) => state.cache('c').delete('k'))).toEqual(['EVALSHA']);
  });

  it('S2.17: getMany: one for each 64 keys', async () => {
    const keys = Array.from({ length: 65 }, (_, n) => `k${n}`);
    expect(await commandsOf((state) => state.cache('c').getMany(keys.slice(1)))).toEqual(['MGET']);
    expect(await commandsOf((state) => state.cache('c').getMany(keys))).toEqual(['MGET', 'MGET']);
  });

  it('getOrSet: one for a hit, three for the one who computes', async () => {
    expect(await commandsOf((state) => state.cache('c').getOrSet('k', () => 1))).toEqual(['GET', 'EVALSHA', 'EVALSHA']);
    const hit = await commandsOf(async (state) => {
      await state.cache('c').set('k', 1);
      await state.cache('c').getOrSet('k', () => 2);
    });
    expect(hit).toEqual(['SET', 'GET']);
  });

  it('a cache that keeps stale values: one script for each read and write', async () => {
    const open = (state: SharedState): Cache<number> => state.cache<number>('c', { staleFor: '1h' });
    expect(await commandsOf((state) => open(state).get('k'))).toEqual(['EVALSHA']);
    expect(await commandsOf((state) => open(state).set('k', 1))).toEqual(['EVALSHA']);
    expect(await commandsOf((state) => open(state).expire('k'))).toEqual(['EVALSHA']);
    expect(await commandsOf((state) => open(state).getMany(['k', 'l']))).toEqual(['EVALSHA', 'EVALSHA']);
    expect(await commandsOf((state) => open(state).getOrSet('k', () => 1))).toHaveLength(3);
  });

  it('a near cache: none for what is held here', async () => {
    const counted = await commandsOf(async (state) => {
      const cache = state.cache<number>('c', { near: true });
      await cache.set('k', 1);
      await cache.get('k');
      for (let n = 0; n < 10; n++) await cache.get('k');
    });
    expect(counted.length).toBeLessThanOrEqual(4);
    expect(counted.slice(0, 2)).toEqual(['EVALSHA', 'EVALSHA']);
  });

  it('tags: one for each read, write and clearing, and one more for the marks at first', async () => {
    const open = (state: SharedState): Cache<number> => state.cache<number>('c', { tags: true });
    const counted = await commandsOf(async (state) => {
      const cache = open(state);
      await cache.set('k', 1, { tags: ['t', 'u'] });
      await cache.get('k');
      await cache.clearTags(['t', 'u']);
      await cache.get('k');
    });
    expect(counted.filter((name) => name === 'EVALSHA').length).toBeLessThanOrEqual(5);
  });

  it('what is stored is the JSON of the value and nothing else', async () => {
    const state = await openState({ namespace: 'plain', redis: server().url });
    try {
      await state.cache('c', { staleFor: '1h', refreshAt: 0.5, jitter: 0.1 }).set('k', { a: 1 });
      await state.cache('d', { staleFor: '1h' }).getOrSet('computed', () => [1]);
      expect(await server().command('GET', 'plain:cache:{c:k}')).toBe('{"a":1}');
      expect(await server().command('GET', 'plain:cache:{d:computed}')).toBe('[1]');
      await state.cache('t', { tags: true, near: true }).set('k', { a: 1 });
      expect(await server().command('GET', 'plain:cache:{t:k}')).toBe('{"a":1}');
    } finally {
      await state.close();
    }
  });

  it('nothing is sent for no keys', async () => {
    const nothing = await commandsOf(async (state) => {
      await state.cache('c').getMany([]);
      await state.cache('c').setMany([]);
      await state.cache('c').deleteMany([]);
    });
    expect(nothing).toEqual([]);
  });
});
