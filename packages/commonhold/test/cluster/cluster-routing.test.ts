import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PreparedScript, serverTime, slotGuard } from '../../src/backend/redis/script.js';
import { slotOf } from '../../src/backend/redis/slot.js';
import { openState } from '../../src/open-state.js';
import type { RedisClusterOptions } from '../../src/options.js';
import type { SharedState } from '../../src/shared-state.js';
import { freePort } from '../../src/testing/free-port.js';
import { type RedisCluster, startRedisCluster } from '../../src/testing/redis-cluster.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { eventually, pause, waitUntil } from '../../src/testing/waiting.js';

let cluster: RedisCluster;
const opened: SharedState[] = [];
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  cluster = await startRedisCluster({ masters: 3, replicas: 0, nodeTimeoutMs: 5_000 });
});
afterAll(async () => {
  await Promise.all(opened.map((state) => state.close()));
  await cluster?.stop();
});

async function open(redis: Partial<RedisClusterOptions> = {}): Promise<SharedState> {
  const state = await openState({ namespace: 'route', away: 'throw', redis: { cluster: cluster.urls, ...redis }, log });
  opened.push(state);
  return state;
}

/** The server of `key`, and another one. */
async function ends(key: string): Promise<readonly [from: RedisServer, to: RedisServer]> {
  const from = await cluster.masterOf(key);
  const to = cluster.servers.find((server) => server !== from);
  if (to === undefined) throw new Error('one server only');
  return [from, to];
}

/** Has the slot of `key` stand between two servers, as it does while its keys move; returns what ends that. */
async function openSlot(key: string): Promise<() => Promise<void>> {
  const slot = slotOf(key);
  const [from, to] = await ends(key);
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(await from.command('CLUSTER', 'MYID')));
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(await to.command('CLUSTER', 'MYID')));
  return () => cluster.moveSlot(slot, to);
}

describe('a call whose slot has another owner by now', () => {
  it('is taken there, and so is the next one at once', async () => {
    const counter = (await open()).counter('moved');
    await counter.add();
    await cluster.moveSlot(slotOf('{moved}'), (await ends('{moved}'))[1]);
    expect(await counter.add()).toBe(2);
    expect(await Promise.all([counter.add(), counter.get()])).toEqual([3, 3]);
  });

  it('is taken there by a script, which the new owner does not know yet', async () => {
    const map = (await open()).map<number>('moved-map');
    await map.update('k', () => 1);
    await cluster.moveSlot(slotOf('{moved-map}'), (await ends('{moved-map}'))[1]);
    expect(await map.update('k', (value = 0) => value + 1)).toBe(2);
  });
});

describe('a slot whose keys are on their way', () => {
  it('answers plain commands from both servers', async () => {
    const state = await open({ cacheDeadline: '2s' });
    const cache = state.cache<number>('open');
    await cache.set('k', 1);
    const finish = await openSlot('{open:k}');
    expect(await cache.get('k')).toBe(1);
    const [from, to] = await ends('{open:k}');
    await from.command('MIGRATE', '127.0.0.1', to.port, 'route:cache:{open:k}', 0, 1_000);
    expect(await cache.get('k')).toBe(1);
    await cache.set('k', 2);
    await finish();
    expect(await cache.get('k')).toBe(2);
  });

  it('lets scripts wait until it has arrived', async () => {
    const map = (await open({ deadline: '5s' })).map<number>('waits', { ttl: '1h' });
    await map.set('k', 1);
    const finish = await openSlot('{waits}');
    let settled = false;
    const update = map.update('k', (value = 0) => value + 1).finally(() => (settled = true));
    await pause(200);
    expect(settled).toBe(false);
    await finish();
    expect(await update).toBe(2);
  });

  // On a machine so busy that the last try has no answer by the deadline, its outcome is unknown.
  it('gives Unavailable by the deadline, and nothing ran', { retry: 2 }, async () => {
    const map = (await open({ deadline: '300ms' })).map<number>('late', { ttl: '1h' });
    await map.set('k', 1);
    const finish = await openSlot('{late}');
    const startedAtMs = performance.now();
    const refused = await map.set('k', 2).catch((error: unknown) => error);
    expect(performance.now() - startedAtMs).toBeLessThan(700);
    await finish();
    expect(refused).toMatchObject({ code: 'Unavailable' });
    expect(await map.get('k')).toBe(1);
  });

  // Without the guard a script would stop in the middle, which is what the guard is for.
  it.each([
    ['no guard', '', /non local key/, '1'],
    ['the guard', slotGuard, /^TRYAGAIN/, null],
  ])('with %s, a script that forms another key', async (_, guard, message, written) => {
    const key = 'route:{half}:a';
    const [from] = await ends(key);
    await from.command('DEL', key);
    await from.command('SET', key, '');
    const source = "redis.call('SET', KEYS[1], '1') redis.call('SET', KEYS[1] .. ':b', '1')";
    const script = new PreparedScript({ name: 'test/half.lua', source }, serverTime, guard);
    const finish = await openSlot(key);
    await expect(from.command('EVAL', script.text, ...script.words([key], []).slice(2))).rejects.toThrow(message);
    expect(await from.command('GET', key)).toBe(written ?? '');
    await finish();
    const [owner] = await ends(key);
    await owner.command('EVAL', script.text, ...script.words([key], []).slice(2));
    expect(await owner.command('GET', `${key}:b`)).toBe('1');
    await owner.command('DEL', key, `${key}:b`);
  });
});

describe('batches over all masters', () => {
  const keys = Array.from({ length: 300 }, (_, index) => `k${index}`);

  it('are answered as one', async () => {
    const cache = (await open({ cacheDeadline: '2s' })).cache<number>('batch');
    await cache.setMany(keys.map((key, index) => [key, index]));
    expect([...(await cache.getMany([...keys, 'none'])).values()]).toEqual(keys.map((_, index) => index));
    expect(await cache.deleteMany([...keys.slice(0, 100), 'none'])).toBe(100);
    expect(await cache.clear({ prefix: 'k29' })).toBe(10);
    expect(await cache.clear()).toBe(190);
    expect((await cache.getMany(keys)).size).toBe(0);
  });

  it('clear finds what moved to a master that was scanned already', async () => {
    // Masters and tests share the cores here; what is shown is that nothing is left, not how fast.
    const cache = (await open({ cacheDeadline: '10s' })).cache<number>('scan');
    await cache.setMany(keys.map((key, index) => [key, index]));
    const cleared = cache.clear();
    for (const key of keys.slice(0, 8)) {
      await cluster.moveSlot(slotOf(`{scan:${key}}`), (await ends(`{scan:${key}}`))[1]);
    }
    await cleared;
    expect([...(await cache.getMany(keys)).keys()]).toEqual([]);
  });
});

describe('messages', () => {
  it('reach all states from whichever master, also after the one they listen on went away', async () => {
    const states = await Promise.all([open(), open()]);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const heard: string[] = [];
    for (const name of names) await states[0]?.channel<string>(name).subscribe((text) => void heard.push(text));
    const publish = (round: number): Promise<unknown> =>
      Promise.all(names.map((name) => states[1]?.channel<string>(name).publish(`${name}${round}`)));
    await publish(1);
    await eventually(() => expect(heard.toSorted()).toEqual(names.map((name) => `${name}1`)));
    for (const server of cluster.servers) {
      heard.length = 0;
      await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      // What is sent before the states have noticed may be lost with the connection.
      await pause(100);
      await waitUntil('the states to be back', () => states.every((state) => state.status().connected));
      await publish(2);
      await eventually(() => expect(heard.toSorted()).toEqual(names.map((name) => `${name}2`)));
    }
  });
});

describe('openState', () => {
  it('finds the cluster from one node, by URL or variable, past a seed that is dead', async () => {
    const [url = ''] = cluster.urls;
    const dead = `redis://127.0.0.1:${await freePort()}`;
    const environments = [{ REDIS_URL: url }, { REDIS_CLUSTER: `${dead},${url}` }];
    const named = environments.map((environment) => openState({ namespace: 'route', away: 'throw', environment, log }));
    for (const state of await Promise.all([...named, open({ cluster: [dead, url] })])) {
      opened.push(state);
      const counters = ['x', 'y', 'z', 'w', 'v'].map((name) => state.counter(name).add());
      expect(await Promise.all(counters)).toHaveLength(5);
      await state.probe();
      expect(state.status()).toMatchObject({ kind: 'redis', connected: true });
      expect((state.rawClient as Map<string, unknown>).size).toBeGreaterThanOrEqual(3);
    }
  });

  it('opens without a cluster, and is well when it comes', async () => {
    const late = await startRedisCluster({ masters: 1, replicas: 0 });
    try {
      const [server] = late.servers;
      await server?.kill();
      const state = await openState({ namespace: 'late', away: 'throw', redis: { cluster: late.urls }, log });
      opened.push(state);
      expect(state.status()).toMatchObject({ kind: 'redis', connected: false });
      const counter = state.counter('c');
      await expect(counter.add()).rejects.toMatchObject({ code: 'Unavailable' });
      await expect(state.cache('c').clear()).rejects.toMatchObject({ code: 'Unavailable' });
      await server?.restart();
      await waitUntil('the cluster', () => state.status().connected, { timeoutMs: 10_000 });
      await eventually(async () => expect(await counter.add()).toBe(1), { timeoutMs: 10_000 });
      await state.close();
      await expect(counter.add()).rejects.toMatchObject({ code: 'Closed' });
    } finally {
      await late.stop();
    }
  });
});
