import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { OpenOptions } from '../../src/options.js';
import type { SharedState } from '../../src/shared-state.js';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';
import { recordingLog } from '../backend/redis/connected.js';

const evicting = { args: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] };
const patient = { timeoutMs: 10_000 };

interface Site extends AsyncDisposable {
  readonly state: RedisServer;
  readonly cache: RedisServer;
  readonly log: ReturnType<typeof recordingLog>;
  open(options?: OpenOptions): Promise<SharedState>;
}

/** A server for state, one for caches, and what is opened on both. */
async function startSite(): Promise<Site> {
  const [state, cache] = await Promise.all([startRedisServer(), startRedisServer(evicting)]);
  const log = recordingLog();
  const opened: SharedState[] = [];
  return {
    state,
    cache,
    log,
    open: async (options) => {
      const redis = { state: state.url, cache: { url: cache.url, cacheDeadline: 3_000 } };
      const shared = await openState({ namespace: 'app', redis, environment: {}, log, ...options });
      opened.push(shared);
      return shared;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map((shared) => shared.close()));
      await Promise.all([state.stop(), cache.stop()]);
    },
  };
}

/** The features whose keys are on a server. */
async function featuresOn(server: RedisServer): Promise<string[]> {
  const keys = (await server.command('KEYS', '*')) as string[];
  return [...new Set(keys.map((key) => key.split(':')[1] ?? ''))].toSorted();
}

async function useAll(state: SharedState): Promise<void> {
  await state.cache('c', { near: true, tags: true }).set('k', 1, { tags: ['t'] });
  await state.counter('n').add();
  await state.map('m').set('k', 1);
  await state.uniqueSet('u').add('m');
  await state.rateLimit('r', '5 per hour').consume('ada');
  await state.lock('l').tryAcquire();
  await state.queue('q').add(1);
  await state.sessions('s').create({ user: 'ada' });
  await state.channel('h').publish('m');
  await state.presence('p').join({ id: 'ada', region: 'here' });
}

describe('a server for state and one for caches', () => {
  it('caches go to one, and all else to the other', async () => {
    await using site = await startSite();
    const state = await site.open();
    await useAll(state);
    const [onState, onCache] = [await featuresOn(site.state), await featuresOn(site.cache)];
    expect(onCache.filter((feature) => !['cache', 'cache-tags', 'epoch'].includes(feature))).toEqual([]);
    expect(onCache).toContain('cache');
    expect(onState).not.toContain('cache');
    for (const feature of ['counter', 'map', 'lock', 'queue', 'session', 'presence'])
      expect(onState).toContain(feature);
    expect(state.rawClient).toMatchObject({ state: expect.anything() as unknown, cache: expect.anything() as unknown });
    expect(site.log.lines.join()).not.toContain('maxmemory-policy');
  });

  it('a policy that evicts is a warning for the one of state alone', async () => {
    await using site = await startSite();
    const swapped = { state: site.cache.url, cache: site.state.url };
    const state = await site.open({ redis: swapped });
    expect(state.status()).toMatchObject({ warning: expect.stringContaining('allkeys-lru') as string });
    expect(site.log.lines.filter((line) => line.includes('allkeys-lru')).length).toBe(1);
    expect((await site.open()).status()).not.toHaveProperty('warning');
  });

  it('without the one of caches all else goes on, and caches compute', async () => {
    await using site = await startSite();
    const state = await site.open();
    const told: string[] = [];
    state.on('degraded', ({ reason }) => void told.push(reason));
    state.on('recovered', () => void told.push('recovered'));
    state.on('stateLost', () => void told.push('lost'));
    await site.cache.kill();
    await waitUntil('the cache to be away', () => told.length > 0, patient);
    expect(told).toEqual([expect.stringMatching(/^caches: /) as string]);
    expect(state.status()).toMatchObject({ connected: true, cacheAway: expect.stringMatching(/^caches: /) as string });
    await state.probe();
    await useStateAlone(state);
    expect(await state.cache('c').getOrSet('k', () => 'computed')).toBe('computed');
    expect([...state.awayCounts()].filter(([name]) => !name.startsWith('cache.'))).toEqual([]);
    await site.cache.restart();
    await waitUntil('the cache to be back', () => told.length > 1, patient);
    expect(told.slice(1)).toEqual(['recovered']);
    expect(state.status()).not.toHaveProperty('cacheAway');
    await state.cache('c').set('k', 'stored');
    expect(await state.cache('c').get('k')).toBe('stored');
    const lines = site.log.lines.filter((line) => line.startsWith('Running without Redis'));
    expect(lines).toEqual([expect.stringContaining('"store":"cache"') as string]);
  });

  it('without the one of state caches go on', async () => {
    await using site = await startSite();
    const state = await site.open();
    const cache = state.cache<number>('c', { near: true });
    await cache.set('k', 1);
    await site.state.kill();
    await waitUntil('the state to be away', () => !state.status().connected, patient);
    expect(state.status()).toMatchObject({ reason: expect.stringMatching(/^state: /) as string });
    await cache.set('k', 2);
    expect(await cache.get('k')).toBe(2);
    await expect(state.lock('l').tryAcquire()).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(state.probe()).rejects.toMatchObject({ code: 'Unavailable' });
    await site.cache.kill();
    const both = /^state: .*; caches: /;
    await waitUntil('both to be away', () => both.test((state.status() as { reason: string }).reason), patient);
  });

  it('near caches hear of changes over the one of caches, in views too', async () => {
    await using site = await startSite();
    const one = (await site.open()).with({ namespace: 't' });
    const other = (await site.open()).with({ namespace: 't' });
    const near = one.cache<number>('c', { near: true });
    await near.set('k', 1);
    await waitUntil('the near cache to keep it', async () => {
      await near.get('k');
      return near.peek('k') === 1;
    });
    await other.cache<number>('c', { near: true }).set('k', 2);
    await waitUntil('the near cache to hear of it', () => near.peek('k') !== 1);
    expect(await near.get('k')).toBe(2);
  });

  it('one computation at a time over processes, each told by the one of caches', async () => {
    await using site = await startSite();
    const states = [await site.open(), await site.open()];
    let computed = 0;
    const compute = async (): Promise<number> => {
      await pause(200);
      return ++computed;
    };
    expect(await Promise.all(states.map((state) => state.cache<number>('c').getOrSet('k', compute)))).toEqual([1, 1]);
    // Who waits is woken there, and does not go by the clock.
    expect(await site.cache.command('PUBSUB', 'CHANNELS', 'app:wake:*')).toHaveLength(2);
  });
});

async function useStateAlone(state: SharedState): Promise<void> {
  expect(await state.counter('n').add()).toBe(1);
  await state.map('m').set('k', 1);
  expect(await state.lock('l').tryAcquire()).toBeDefined();
  expect((await state.rateLimit('r', '5 per hour').consume('ada')).allowed).toBe(true);
}
