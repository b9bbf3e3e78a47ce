import { createMemoryStore, openState, type SharedState } from 'commonhold';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CacheUtility, openCacheUtility } from '../../src/index.js';
import { homes, ownRedis } from '../homes.js';

const lines: string[] = [];
const note = (_fields: object, message: string): void => void lines.push(message);
const log = { info: note, warn: note, error: note };

async function open(variables: Record<string, string>): Promise<{ state: SharedState; utility: CacheUtility }> {
  lines.length = 0;
  const memory = createMemoryStore();
  const place = variables['REDIS_URL'] === undefined ? { memory } : { environment: variables };
  const state = await openState({
    namespace: 'attendx',
    log: { info: () => {}, warn: () => {}, error: () => {} },
    ...place,
  });
  onTestFinished(() => state.close());
  return { state, utility: openCacheUtility(state, log) };
}

describe.each(homes)('the cache utility, %s', (name, openHome) => {
  const home = openHome();
  const onRedis = name === 'on Redis';

  it('S1.3: has one client, which says whether Redis is there and shows the raw client', async () => {
    const { utility, state } = await open(await home.variables());
    const client = utility.getRedisClient();
    expect(utility.getRedisClient()).toBe(client);
    expect(client.isConnected).toBe(onRedis);
    expect(client.client).toBe(state.rawClient);
    if (!onRedis) return;
    await utility.cacheSet('user:1', 'x');
    expect(await (client.client as { dbSize(): Promise<number> }).dbSize()).toBeGreaterThan(0);
  });

  it('S1.4 S1.6: gets, sets, deletes and clears values that are objects', async () => {
    const { cacheGet, cacheSet, cacheDelete, cacheClear } = (await open(await home.variables())).utility;
    const user = { name: 'John', email: 'john@example.com', tags: ['a'], nested: { deep: null } };
    expect(await cacheGet('user:123')).toBeNull();
    expect(await cacheSet('user:123', user, 3_600)).toBe(true);
    expect(await cacheGet('user:123')).toEqual(user);
    expect(await cacheDelete('user:123')).toBe(true);
    expect(await cacheDelete('user:123')).toBe(false);
    await cacheSet('a', 1);
    await cacheSet('b', 2);
    expect(await cacheClear('*')).toBe(2);
    expect(await cacheClear()).toBe(0);
  });

  it('S1.5: counts, asks, expires and works on many', async () => {
    const client = (await open(await home.variables())).utility.getRedisClient();
    expect(await client.set('counter', 0, 300)).toBe(true);
    expect(await Promise.all(Array.from({ length: 20 }, () => client.incr('counter')))).toContain(20);
    expect(await client.incr('counter', 5)).toBe(25);
    expect(await client.get('counter')).toBe(25);
    expect(await client.incr('fresh', -2)).toBe(-2);
    expect(await client.exists('counter')).toBe(true);
    expect(await client.exists('nothing')).toBe(false);
    expect(await client.setMany({ key1: 'value1', key2: { two: 2 } }, 600)).toBe(true);
    expect(await client.getMany(['key1', 'none', 'key2'])).toEqual(
      new Map<string, unknown>([
        ['key1', 'value1'],
        ['key2', { two: 2 }],
      ]),
    );
    await client.set('text', 'abc');
    expect(await client.incr('text')).toBeNull();
    expect(await client.get('text')).toBe('abc');
    await client.set('most', Number.MAX_SAFE_INTEGER);
    expect(await client.incr('most')).toBeNull();
    expect(await client.get('most')).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('S1.5 S1.13: everything expires: when it was told to, or after an hour', async () => {
    const client = (await open(await home.variables())).utility.getRedisClient();
    await client.set('plain', 1);
    expect(await client.getTtl('plain')).toBeOneOf([3_599, 3_600]);
    await client.setMany({ batch: 1 }, 600);
    expect(await client.getTtl('batch')).toBeOneOf([599, 600]);
    await client.incr('batch');
    expect(await client.getTtl('batch')).toBeOneOf([599, 600]);
    expect(await client.expire('batch', 30)).toBe(true);
    expect(await client.getTtl('batch')).toBeOneOf([29, 30]);
    expect(await client.expire('nothing', 30)).toBe(false);
    expect(await client.getTtl('nothing')).toBeNull();
    await client.set('short', 1, 0.2);
    await expect.poll(() => client.get('short'), { timeout: 2_000 }).toBeNull();
  });

  it('S1.5: clears by pattern, and nothing else', async () => {
    const client = (await open(await home.variables())).utility.getRedisClient();
    await client.setMany(Object.fromEntries(Array.from({ length: 1_200 }, (_, n) => [`user:${n}`, n])));
    await client.setMany({ 'session:1': 1, user: 2, 'user*': 3 });
    expect(await client.clearPattern('user:*')).toBe(1_200);
    expect(await client.clearPattern('user\\*')).toBe(1);
    expect(await client.count()).toBe(2);
  });

  it('S1.7: keeps arrays of numbers and bytes as they are', async () => {
    const { cacheGet, cacheSet } = (await open(await home.variables())).utility;
    const embedding = Float32Array.from([0.1, -2.5, Number.MIN_VALUE, Number.MAX_VALUE, Number.NaN]);
    await cacheSet('embedding:9e107d9d372bb6826bd81d3542a419d6', embedding, 3_600);
    const found = await cacheGet('embedding:9e107d9d372bb6826bd81d3542a419d6');
    expect(found).toBeInstanceOf(Float32Array);
    expect(found).toEqual(embedding);
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await cacheSet('bytes', bytes);
    expect(Buffer.from((await cacheGet('bytes')) as Uint8Array)).toEqual(Buffer.from(bytes));
  });

  it('says what is wrong with an argument', async () => {
    const client = (await open(await home.variables())).utility.getRedisClient();
    await expect(client.set('key', 1, Number.NaN)).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(client.incr('key', 1.5)).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(client.set('', 1)).rejects.toMatchObject({ code: 'InvalidArgument' });
    expect(lines.filter((line) => /Redis caching/.test(line))).toHaveLength(onRedis ? 0 : 1);
  });
});

describe('the cache utility without Redis', () => {
  const home = ownRedis();

  it('S1.10: gives null and false, throws nothing, says so once, and goes on when Redis is back', async () => {
    const { utility } = await open(await home.variables());
    const client = utility.getRedisClient();
    await client.set('key', 1);
    await home.server.kill();
    const outcomes = async (): Promise<unknown[]> => [
      await utility.cacheGet('key'),
      await utility.cacheSet('key', 2),
      await utility.cacheDelete('key'),
      await utility.cacheClear('*'),
      await client.incr('key'),
      await client.exists('key'),
      await client.expire('key', 5),
      await client.getTtl('key'),
      await client.getMany(['key']),
      await client.setMany({ key: 1 }),
      await client.clearPattern('k*'),
    ];
    const nothing = [null, false, false, null, null, false, false, null, null, false, null];
    expect(await outcomes()).toEqual(nothing);
    const startedAtMs = performance.now();
    expect(await outcomes()).toEqual(nothing);
    expect(performance.now() - startedAtMs).toBeLessThan(100);
    expect(client.isConnected).toBe(false);
    expect(lines).toEqual(['Running without Redis caching']);
    await home.server.restart();
    await expect.poll(() => client.set('key', 3), { timeout: 10_000 }).toBe(true);
    expect(await client.get('key')).toBe(3);
    expect(lines).toEqual(['Running without Redis caching', 'Running with Redis caching again']);
  });

  it('S1.10: does not wait for a Redis that hangs', async () => {
    const { utility } = await open(await home.variables());
    await utility.cacheSet('key', 1);
    home.server.pause();
    onTestFinished(() => home.server.resume());
    const startedAtMs = performance.now();
    expect(await utility.cacheGet('key')).toBeNull();
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    expect(lines).toEqual(['Running without Redis caching']);
  });
});
