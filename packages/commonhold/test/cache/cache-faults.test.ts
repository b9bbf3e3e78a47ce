import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../src/errors.js';
import type { Log } from '../../src/log.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { eventually } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('a cache among faults', () => {
  const server = useServer();

  async function withState(work: (state: SharedState, lines: string[]) => Promise<void>): Promise<void> {
    const lines: string[] = [];
    const note = (_: object, message: string): void => void lines.push(message);
    const log: Log = { info: note, warn: note, error: note };
    await server().command('FLUSHDB');
    const state = await openState({ namespace: 'faults', redis: server().url, log });
    try {
      await work(state, lines);
    } finally {
      await state.close();
    }
  }

  const entry = 'faults:cache:{c:k}';

  it('an unreadable entry counts as absent, is said, and is computed anew', () =>
    withState(async (state, lines) => {
      const cache = state.cache<number>('c');
      for (const bytes of ['{"torn', '\u001fnewer', '\u0003torn zstd', '']) {
        await server().command('SET', entry, bytes);
        expect(await cache.get('k')).toBeUndefined();
        expect(lines.splice(0)).toContain('an unreadable cache entry counts as absent');
        expect(await cache.getOrSet('k', () => 7)).toBe(7);
        expect(await cache.get('k')).toBe(7);
      }
    }));

  for (const options of [{}, { staleFor: '1h' }, { near: true }, { tags: true }] as const) {
    const kind = Object.keys(options)[0] ?? 'plain';
    it(`F26: a key of another type is a miss, counted and said, which only a value that is set replaces (${kind})`, () =>
      withState(async (state, lines) => {
        const cache = state.cache<number>('c', options);
        await server().command('LPUSH', entry, 'x');
        expect(await cache.get('k')).toBeUndefined();
        expect(lines).toContain('an unreadable cache entry counts as absent');
        expect(cache.stats()).toMatchObject({ hits: 0, misses: 1, unreadable: 1 });
        expect((await cache.getMany(['k'])).missing).toEqual(['k']);
        const failed = cache.getOrSet('k', () => Promise.reject(new UnavailableError('a database', 'it is away')));
        await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('a database') });
        if ('staleFor' in options) expect(await cache.expire('k')).toBe(false);
        expect(await server().command('LRANGE', entry, '0', '-1')).toEqual(['x']);
        expect(await cache.getOrSet('k', () => 7)).toBe(7);
        expect(await cache.get('k')).toBe(7);
        await server().command('DEL', entry);
        await server().command('LPUSH', entry, 'x');
        await cache.set('k', 1);
        expect(await cache.get('k')).toBe(1);
      }));
  }

  it('what was computed is returned although it cannot be stored', () =>
    withState(async (state, lines) => {
      const cache = state.cache<number>('c', { away: 'throw' });
      const value = await cache.getOrSet('k', async () => {
        server().pause();
        return 7;
      });
      server().resume();
      expect(value).toBe(7);
      expect(lines).toContain('a computed value was not cached');
    }));

  it('without the store a value is computed, once for all who ask here, and counted apart', () =>
    withState(async (state) => {
      const cache = state.cache<number>('c', { staleFor: '1h', away: 'throw' });
      let computed = 0;
      server().pause();
      try {
        const compute = async (): Promise<number> => (computed += 1);
        const given = await Promise.all([cache.getOrSet('k', compute), cache.getOrSet('k', compute)]);
        expect(given).toEqual([1, 1]);
        await expect(cache.get('k')).rejects.toMatchObject({ code: 'Unavailable' });
      } finally {
        server().resume();
      }
      expect(cache.stats()).toEqual({ hits: 0, nearHits: 0, misses: 0, unreadable: 0, stale: 0, degraded: 2 });
      await expect(
        cache.getOrSet('k', () => Promise.reject(new UnavailableError('a database', 'it is away'))),
      ).rejects.toMatchObject({ message: expect.stringContaining('a database') });
    }));

  it('F32: a near cache is dropped when the link breaks, and does not miss what changed meanwhile', () =>
    withState(async (state) => {
      const cache = state.cache<number>('c', { near: true });
      await cache.set('k', 1);
      await eventually(async () => {
        await cache.get('k');
        expect(cache.peek('k')).toBe(1);
      });
      await server().command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await server().command('SET', entry, '2');
      await eventually(() => expect(cache.peek('k')).toBeUndefined());
      await eventually(async () => expect(await cache.get('k')).toBe(2));
      await eventually(async () => {
        await cache.get('k');
        expect(cache.peek('k')).toBe(2);
      });
      await server().command('SET', entry, '3');
      await server().command('PUBLISH', 'faults:cache:{c}', 'cache:c:k');
      await eventually(() => expect(cache.peek('k')).toBeUndefined());
    }));

  it('F32: a tag that was cleared while the link was broken is known as soon as that is back', () =>
    withState(async (state) => {
      const cache = state.cache<number>('c', { tags: true, near: true });
      await cache.set('k', 1, { tags: ['t'] });
      expect(await cache.get('k')).toBe(1);
      // Nobody hears of this one: the message of it was lost.
      await server().command('HSET', 'faults:cache-tags:{c}', 't', '99999999999999');
      expect(await cache.get('k')).toBe(1);
      await server().command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await eventually(async () => expect(await cache.get('k')).toBeUndefined());
      await cache.clearTags(['t']);
      await cache.set('k', 2, { tags: ['t'] });
      expect(await cache.get('k')).toBe(2);
    }));

  it('memory that is full refuses sets and still deletes', () =>
    withState(async (state) => {
      const [cache, told] = [state.cache<string>('c'), state.cache<string>('told', { away: 'throw' })];
      await cache.set('k', 'x');
      await told.set('k', 'x');
      await server().command('CONFIG', 'SET', 'maxmemory', '1mb');
      try {
        await expect(told.set('other', 'x')).rejects.toMatchObject({ code: 'Overloaded' });
        expect(await told.delete('k')).toBe(true);
        // What takes the place of a value that cannot be written is nothing.
        await cache.set('k', 'y');
        await eventually(async () => expect(await cache.get('k')).toBeUndefined());
        await eventually(async () => expect(await server().command('EXISTS', entry)).toBe(0));
      } finally {
        await server().command('CONFIG', 'SET', 'maxmemory', '0');
      }
    }));
});
