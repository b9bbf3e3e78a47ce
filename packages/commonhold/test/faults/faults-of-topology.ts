import dns from 'node:dns';
import type { OpenOptions } from '../../src/options.js';
import { type RedisCluster, startRedisCluster } from '../../src/testing/redis-cluster.js';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.js';
import { slotOf } from '../../src/backend/redis/slot.js';
import { freePort } from '../../src/testing/free-port.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';
import { appUrl, type FaultWorld, userArguments, type WorldOptions } from './fault-world.js';
import type { PassingFault, Row } from './fault.js';
import { type Forwarder, startForwarder } from './forwarder.js';
import { away, unaffected } from './rows.js';

/** The parts of a topology that a fault reaches for, by the world's server. */
const pairs = new WeakMap<RedisServer, { readonly replica: RedisServer; readonly address: Forwarder }>();
const clusters = new WeakMap<RedisServer, RedisCluster>();

/** Where a part is away for a moment, and other parts are not. */
const partly: Row = {
  CA: 'OK ST LD > OK LD',
  SE: 'OK ST UN OU BU > OK',
  RL: 'OK LL UN OU > OK',
  MA: 'OK ST BU UN OU > OK',
  LO: 'OK UN OU LE > OK LE TK',
  QU: 'OK UN OU > OK LE',
  PS: 'OK PL UN OU > OK RS',
  PR: 'OK PL UN OU > OK RB',
  CN: 'OK ST BU UN OU > OK',
  US: 'OK ST BU UN OU > OK',
};

/** What happens between servers. */
export const faultsOfTopology: readonly PassingFault[] = [
  {
    id: 'F14',
    title: 'failover, master killed',
    how: 'SIGKILL of a master; after 1.5 s its replica is promoted and has its address',
    world: floating(),
    lastsMs: 1_500,
    reach: 'none',
    expected: { ...away, LO: 'UN LE > OK LE TK' },
    inject: async (world) => {
      await replicated(world);
      await world.server.kill();
    },
    heal: promote,
  },
  {
    id: 'F15',
    title: 'zombie master',
    how: 'SIGSTOP of a master; after 2.5 s its replica is promoted and has its address; the old one wakes up and takes itself for the master',
    world: floating(),
    lastsMs: 2_500,
    reach: 'none',
    expected: { ...away, LO: 'UN LE > OK LE TK' },
    inject: async (world) => {
      await replicated(world);
      world.server.pause();
    },
    heal: async (world) => {
      await promote(world);
      world.server.resume();
    },
  },
  {
    id: 'F16',
    title: 'slots move',
    how: 'a cluster of three masters; slots of the keys in use go from one to the next, for as long as it lasts',
    world: clustered(0),
    lastsMs: 3_000,
    expected: unaffected,
    inject: async ({ server, repeat }) => {
      const cluster = clusters.get(server);
      const masters = (await cluster?.masters()) ?? [];
      let turn = 0;
      repeat(20, async () => {
        const slot = slotOf(slotsInUse[turn % slotsInUse.length] ?? '');
        const to = masters[(turn += 1) % masters.length];
        if (to !== undefined) await cluster?.moveSlot(slot, to);
      });
    },
    heal: () => pause(500),
  },
  {
    id: 'F17',
    title: 'a node of a cluster dies',
    how: 'SIGKILL of one of three masters, each with a replica, node-timeout 2 s',
    world: clustered(1),
    lastsMs: 5_500,
    expected: partly,
    inject: async ({ server }) => {
      const cluster = clusters.get(server);
      await (await cluster?.masterOf('faults:counter:{c}'))?.kill();
    },
    heal: () => undefined,
  },
  {
    id: 'F34',
    title: 'stale DNS after a failover',
    how: 'two addresses; for 2 s the name still leads to the old master, now a replica, then to the new one',
    world: named(),
    lastsMs: 2_500,
    reach: 'none',
    expected: { ...away, LO: 'UN LE > OK LE TK' },
    inject: async (world) => {
      await replicated(world);
      await promote(world);
      await world.server.command('REPLICAOF', '127.0.0.1', pairs.get(world.server)?.replica.port ?? 0);
    },
    heal: () => void (names.address = '127.0.0.3'),
  },
];

const slotsInUse = ['c', 'm', 'u', 'q', 'p', 'plain:known', 'r:s'].map((tag) => `{${tag}}`);

async function startReplica(master: RedisServer): Promise<RedisServer> {
  await master.command('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
  const args = [...userArguments, '--replicaof', `127.0.0.1 ${master.port}`, '--repl-diskless-sync-delay', '0'];
  const replica = await startRedisServer({ args });
  // Until then the master keeps back what it should send.
  await waitUntil('the replica to follow', async () =>
    String(await master.command('INFO', 'replication')).includes('state=online'),
  );
  return replica;
}

/** A master and a replica behind one address that can lead to either. */
function floating(): WorldOptions {
  return {
    places: async ({ server, defer }) => {
      const replica = await startReplica(server);
      const address = await startForwarder(server.port);
      defer(() => replica.stop());
      defer(() => address.stop());
      pairs.set(server, { replica, address });
      return [{ redis: appUrl(address.port) }, { redis: appUrl(address.port) }];
    },
  };
}

/** Until the replica has all that was written before the fault: what WAIT asks for is the last write of its connection. */
async function replicated({ server }: FaultWorld): Promise<void> {
  await server.command('SET', 'faults:replicated', '1');
  await server.command('WAIT', '1', '5000');
}

async function promote({ server }: FaultWorld): Promise<void> {
  const pair = pairs.get(server);
  await pair?.replica.command('REPLICAOF', 'NO', 'ONE');
  pair?.address.switch(pair.replica.port);
}

function clustered(replicas: number): WorldOptions {
  return {
    places: async ({ server, defer }) => {
      const cluster = await startRedisCluster({ masters: 3, replicas });
      defer(() => cluster.stop());
      clusters.set(server, cluster);
      const redis: OpenOptions['redis'] = { cluster: [...cluster.urls] };
      return [{ redis }, { redis }];
    },
  };
}

const fakeName = 'redis.commonhold.test';
const names = { address: '127.0.0.2' };

/** A master and a replica with an address each, and a name that leads to one of them. */
function named(): WorldOptions {
  return {
    places: async ({ server, defer }) => {
      const replica = await startReplica(server);
      const port = await freePort();
      const old = await startForwarder(server.port, { host: '127.0.0.2', port });
      const fresh = await startForwarder(replica.port, { host: '127.0.0.3', port });
      const address = await startForwarder(server.port);
      names.address = '127.0.0.2';
      for (const one of [replica, old, fresh, address]) defer(() => one.stop());
      defer(leadNames());
      pairs.set(server, { replica, address });
      return [{ redis: appUrl(port, fakeName) }, { redis: appUrl(address.port) }];
    },
  };
}

type Lookup = (name: string, options: object, done: (...found: unknown[]) => void) => void;

/** Has this process find our name where `names` says; returns what ends that. */
function leadNames(): () => void {
  const real = dns.lookup;
  const lookup: Lookup = (name, options, done) => {
    if (name !== fakeName) {
      (real as unknown as Lookup)(name, options, done);
      return;
    }
    const all = 'all' in options && options.all === true;
    const found = all ? [[{ address: names.address, family: 4 }]] : [names.address, 4];
    process.nextTick(() => done(null, ...found));
  };
  dns.lookup = lookup as unknown as typeof dns.lookup;
  return () => void (dns.lookup = real);
}
