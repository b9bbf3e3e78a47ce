import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../backend/redis/certificates.js';
import { slotOf } from '../../src/backend/redis/slot.js';
import { openState } from '../../src/open-state.js';
import type { OpenOptions } from '../../src/options.js';
import type { SharedState } from '../../src/shared-state.js';
import { type RedisCluster, startRedisCluster } from '../../src/testing/redis-cluster.js';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.js';
import { freePort } from '../../src/testing/free-port.js';
import { eventually, pause, waitUntil } from '../../src/testing/waiting.js';

let cluster: RedisCluster;
const opened: SharedState[] = [];
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  cluster = await startRedisCluster({ masters: 3, replicas: 0, nodeTimeoutMs: 5_000 });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((state) => state.close()));
});
afterAll(() => cluster?.stop());

/** A state that is closed at the end of the test. */
async function open(redis: OpenOptions['redis'] = { cluster: cluster.urls }): Promise<SharedState> {
  const state = await openState({ namespace: 'faults', away: 'throw', redis, environment: {}, log });
  opened.push(state);
  return state;
}

/** How often all servers were asked to run `command` since their start. */
async function callsOf(command: string): Promise<number> {
  const texts = await Promise.all(cluster.servers.map((server) => server.command('INFO', 'commandstats')));
  const line = new RegExp(`^cmdstat_${command}:calls=(\\d+),.*rejected_calls=(\\d+)`, 'm');
  const counts = texts.flatMap((text) => line.exec(String(text))?.slice(1).map(Number) ?? []);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Has the slot of `key` stand between two servers; returns what ends that. */
async function openSlot(key: string): Promise<() => Promise<void>> {
  const slot = slotOf(key);
  const from = await cluster.masterOf(key);
  const to = cluster.servers.find((server) => server !== from) as RedisServer;
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(await from.command('CLUSTER', 'MYID')));
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(await to.command('CLUSTER', 'MYID')));
  return () => cluster.moveSlot(slot, to);
}

describe('the picture of a cluster', () => {
  it('is not taken from a node that left it', async () => {
    await using gone = await startRedisServer({ args: ['--cluster-enabled', 'yes'] });
    const state = await open({ cluster: [gone.url, ...cluster.urls], deadline: '5s' });
    const counters = ['a', 'b', 'c', 'd', 'e'].map((name) => state.counter(name).add());
    expect(await Promise.all(counters)).toHaveLength(5);
    // Every node is asked in its turn.
    for (let round = 0; round < 4; round++) {
      await state.cache('none').clear();
      expect(state.status()).toMatchObject({ connected: true });
    }
  });

  it('leads from a replica to all of it', async () => {
    await using pair = await startRedisCluster({ masters: 1, replicas: 1 });
    const [, replica] = pair.servers;
    const state = await open(replica?.url ?? '');
    expect(await state.counter('c').add()).toBe(1);
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  it('has the addresses of nodes that were to announce names and have none', async () => {
    for (const server of cluster.servers)
      await server.command('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'hostname');
    try {
      const [first] = cluster.urls;
      const state = await open({ cluster: [String(first).replace('127.0.0.1', 'localhost')], deadline: '5s' });
      const clients = state.rawClient as ReadonlyMap<string, unknown>;
      for (const { port } of cluster.servers) expect([...clients.keys()]).toContain(`127.0.0.1:${port}`);
      const counters = ['f', 'g', 'h', 'i', 'j'].map((name) => state.counter(name).add());
      expect(await Promise.all(counters)).toHaveLength(5);
    } finally {
      for (const server of cluster.servers)
        await server.command('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'ip');
    }
  });
});

describe('what a cluster is asked', () => {
  it('is bounded while a part of it is missing for long', async () => {
    const state = await open();
    const slot = slotOf('{missing}');
    const owner = await cluster.masterOf('{missing}');
    for (const each of cluster.servers) await each.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
    await owner.command('CLUSTER', 'DELSLOTS', slot);
    for (const each of cluster.servers) await each.command('CLUSTER', 'DELSLOTS', slot).catch(() => undefined);
    try {
      await waitUntil('the hole to be noticed', () => !state.status().connected, { timeoutMs: 10_000 });
      await pause(500);
      const before = await callsOf('cluster\\|slots');
      const asking = Array.from({ length: 40 }, () =>
        state
          .counter('missing')
          .get()
          .catch(() => undefined),
      );
      await pause(1_000);
      const looks = (await callsOf('cluster\\|slots')) - before;
      expect(looks).toBeLessThan(40);
      await Promise.all(asking);
    } finally {
      await owner.command('CLUSTER', 'ADDSLOTS', slot);
      await cluster.settled();
    }
    await waitUntil('the state to be whole', () => state.status().connected, { timeoutMs: 10_000 });
  });

  it('is bounded while slots move: where each is, the nodes say with the call', async () => {
    const state = await open();
    await state.counter('storm0').add();
    const before = await callsOf('cluster\\|slots');
    for (let number = 0; number < 30; number++) {
      const key = `{storm${number}}`;
      const from = await cluster.masterOf(key);
      await cluster.moveSlot(slotOf(key), cluster.servers.find((server) => server !== from) as RedisServer);
      expect(await state.counter(`storm${number}`).get()).toBeLessThan(2);
      await pause(40);
    }
    expect((await callsOf('cluster\\|slots')) - before).toBeLessThan(15);
  });

  it('is asked a few times by a call that waits for its slot', async () => {
    const map = (await open()).map<number>('patient', { ttl: '1h' });
    await map.set('k', 1);
    const finish = await openSlot('{patient}');
    const before = await callsOf('evalsha');
    await expect(map.set('k', 2)).rejects.toMatchObject({ code: 'Unavailable' });
    const tries = (await callsOf('evalsha')) - before;
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(15);
    await finish();
  });
});

describe('subscriptions', () => {
  it('of many processes are spread over the masters', async () => {
    const states = await Promise.all(Array.from({ length: 16 }, () => open()));
    for (const state of states) await state.channel('spread').subscribe(() => undefined);
    const listening = cluster.servers.map(async (server) =>
      String(await server.command('CLIENT', 'LIST'))
        .split('\n')
        .some((line) => / sub=[1-9]/.test(line)),
    );
    expect((await Promise.all(listening)).filter(Boolean).length).toBeGreaterThan(1);
  });
});

describe('close()', () => {
  it('lets a call end that waits for its slot', async () => {
    const state = await open({ cluster: cluster.urls, deadline: '5s' });
    const map = state.map<number>('closing', { ttl: '1h' });
    await map.set('k', 1);
    const finish = await openSlot('{closing}');
    const update = map.set('k', 2);
    await pause(50);
    const closed = state.close();
    await pause(50);
    await finish();
    await update;
    await closed;
    expect(await (await open()).map<number>('closing', { ttl: '1h' }).get('k')).toBe(2);
  });

  it('ends every connection, also to nodes that were just found', async () => {
    const count = async (): Promise<number> => {
      const lists = await Promise.all(cluster.servers.map((server) => server.command('CLIENT', 'LIST')));
      return lists.reduce<number>((sum, list) => sum + String(list).trim().split('\n').length, 0);
    };
    const before = await count();
    const states = await Promise.all(Array.from({ length: 5 }, () => open()));
    await Promise.all(states.map((state) => state.counter('n').add()));
    await Promise.all(states.map((state) => state.close()));
    await eventually(async () => expect(await count()).toBeLessThanOrEqual(before));
  });
});

describe("TLS and a user of one's own", () => {
  it('hold for every node, also for those whose addresses were learnt', async () => {
    await using authority = await createAuthority();
    const port = await freePort();
    const tls = await authority.serverArguments(port, 'IP:127.0.0.1,DNS:localhost');
    const rights = '-@all +@read +@write +@pubsub +@scripting +@connection +time +info +cluster|slots +asking';
    const user = ['--user', 'app', 'on', '>secret', '~faults:*', '&faults:*', ...rights.split(' ')];
    await using server = await startRedisServer({ cluster: true, args: [...tls, '--tls-cluster', 'yes', ...user] });
    const state = await open({ cluster: [`rediss://app:secret@localhost:${port}`], ca: authority.ca, deadline: '5s' });
    expect(await state.counter('c').add()).toBe(1);
    await state.map('m', { ttl: '1h' }).set('k', 1);
    expect([...(state.rawClient as ReadonlyMap<string, unknown>).keys()]).toContain(`127.0.0.1:${port}`);
    const clients = String(await server.command('CLIENT', 'LIST')).split('\n');
    expect(clients.filter((line) => line.includes(' user=app')).length).toBeGreaterThan(1);
    const wrong = await open({ cluster: [`rediss://app:wrong@localhost:${port}`], ca: authority.ca });
    await expect(wrong.counter('c').add()).rejects.toMatchObject({ code: 'Unavailable' });
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });
});

describe('a node that announces an address where nobody is', () => {
  it('costs its own slots alone, and is named', async () => {
    const [first] = cluster.servers as [RedisServer, ...RedisServer[]];
    const dead = await freePort();
    await first.command('CONFIG', 'SET', 'cluster-announce-port', dead);
    try {
      for (const other of cluster.servers.slice(1)) {
        const heard = async (): Promise<boolean> =>
          String(await other.command('CLUSTER', 'SLOTS')).includes(`,${dead},`);
        await waitUntil('the others to hear of it', heard, { timeoutMs: 10_000 });
      }
      const state = await open({ cluster: cluster.urls.slice(1), deadline: '5s' });
      const names = Array.from({ length: 20 }, (_, number) => `n${number}`);
      const calls = await Promise.allSettled(names.map((name) => state.counter(name).add()));
      const refused = calls.filter((call) => call.status === 'rejected').map(({ reason }) => reason as Error);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThan(names.length);
      for (const error of refused) expect(error).toMatchObject({ code: 'Unavailable' });
      expect(state.status()).toMatchObject({ connected: false, reason: expect.stringContaining(`:${dead}`) as string });
    } finally {
      await first.command('CONFIG', 'SET', 'cluster-announce-port', 0);
      for (const other of cluster.servers.slice(1)) {
        const forgot = async (): Promise<boolean> =>
          !String(await other.command('CLUSTER', 'SLOTS')).includes(`,${dead},`);
        await waitUntil('the others to know better', forgot, { timeoutMs: 10_000 });
      }
      await cluster.settled();
    }
  });
});

describe('a batch of which one node takes nothing', () => {
  it('may have run, since the other nodes did', async () => {
    const state = await open();
    const cache = state.cache<number>('parts');
    const tagged = state.cache<number>('tagged-parts', { tags: true });
    const entries = Array.from({ length: 60 }, (_, index) => [`k${index}`, index] as const);
    await cache.setMany(entries);
    const [server] = cluster.servers as [RedisServer, ...RedisServer[]];
    server.pause();
    try {
      await waitUntil('the hang to be noticed', () => !state.status().connected);
      const partly = { code: 'OutcomeUnknown', retrySafe: true };
      await expect(cache.setMany(entries)).rejects.toMatchObject(partly);
      await expect(cache.deleteMany(entries.map(([key]) => key))).rejects.toMatchObject(partly);
      await expect(tagged.setMany(entries)).rejects.toMatchObject(partly);
    } finally {
      server.resume();
    }
    await waitUntil('the state to be whole', () => state.status().connected, { timeoutMs: 10_000 });
    await cluster.settled();
  });
});

describe('a server that has too few replicas to write', () => {
  it('refused for certain', async () => {
    await using server = await startRedisServer({ args: ['--min-replicas-to-write', '1'] });
    const state = await open(server.url);
    await expect(state.counter('c').add()).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(state.map('m', { ttl: '1h' }).set('k', 1)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(state.lock('l').tryAcquire()).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
