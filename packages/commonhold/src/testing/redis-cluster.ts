import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { slotCount, slotOf } from '../backend/redis/slot.js';
import { freePort } from './free-port.js';
import { type RedisServer, startRedisServer } from './redis-server.js';
import { waitUntil } from './waiting.js';

/** The size of a cluster to start. */
export interface RedisClusterOptions {
  /** Masters, each with an equal share of the slots; 3 or more elect a new master by themselves. Default 3. */
  readonly masters?: number;
  /** Replicas of each master. Default 1. */
  readonly replicas?: number;
  /** How long a node may be silent before the others call it dead. Default 2,000 ms. */
  readonly nodeTimeoutMs?: number;
}

/** A real Redis Cluster of one's own, on this machine. It keeps nothing, and never outlives this process. */
export interface RedisCluster extends AsyncDisposable {
  /** Every server: first those that began as masters, in the order of their slots, then the replicas. */
  readonly servers: readonly RedisServer[];
  /** The URLs of those that began as masters. */
  readonly urls: readonly string[];
  /** The servers that are masters now and run. */
  masters(): Promise<RedisServer[]>;
  /** The master that takes itself for the owner of the slot of `key`. */
  masterOf(key: string): Promise<RedisServer>;
  /** A running replica of `master`. */
  replicaOf(master: RedisServer): Promise<RedisServer>;
  /** Moves one slot with its keys, as `redis-cli --cluster reshard` does, to the master `to`. */
  moveSlot(slot: number, to: RedisServer): Promise<void>;
  /** Has a replica of `master` take over in agreement with it (CLUSTER FAILOVER); resolves with the new master. */
  failover(master: RedisServer): Promise<RedisServer>;
  /** Resolves when every running server calls the cluster whole and every replica follows its master. */
  settled(): Promise<void>;
  /** Ends every server. Calling it twice is harmless. */
  stop(): Promise<void>;
}

const settleTimeoutMs = 20_000;
const keysPerMove = 100;

/**
 * Starts a cluster and resolves when it serves, after some 2 s, which masters wait after their start.
 *
 * @throws MissingDependencyError when no `redis-server` is on PATH; AssertionError when it does not start.
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 1, nodeTimeoutMs = 2_000 } = options;
  const plan = await planNodes(masters, replicas);
  const directories = await Promise.all(plan.map(() => mkdtemp(join(tmpdir(), 'commonhold-cluster-'))));
  const started = await Promise.allSettled(
    plan.map((node, index) => startNode(plan, node, String(directories[index]), nodeTimeoutMs)),
  );
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const cluster = new LocalCluster(servers, masters, directories);
  try {
    const failed = started.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await cluster.settled();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

interface PlannedNode {
  readonly id: string;
  readonly port: number;
  /** Index of its master; its own when it is one. */
  readonly master: number;
  readonly slots: string;
}

async function planNodes(masters: number, replicas: number): Promise<PlannedNode[]> {
  const ports = new Set<number>();
  while (ports.size < masters * (1 + replicas)) ports.add(await freePort());
  return [...ports].map((port, index) => {
    const first = Math.floor((index * slotCount) / masters);
    const last = Math.floor(((index + 1) * slotCount) / masters) - 1;
    const slots = index < masters ? ` ${first}-${last}` : '';
    return { id: randomBytes(20).toString('hex'), port, master: index % masters, slots };
  });
}

// Servers that begin with a file that names all of them need no introduction, which would take seconds.
async function startNode(
  plan: readonly PlannedNode[],
  node: PlannedNode,
  dir: string,
  nodeTimeoutMs: number,
): Promise<RedisServer> {
  const lines = plan.map((other) => {
    const master = plan[other.master] as PlannedNode;
    const role = master === other ? 'master -' : `slave ${master.id}`;
    const address = `127.0.0.1:${other.port}@${other.port + 10_000}`;
    const myself = other === node ? 'myself,' : '';
    return `${other.id} ${address} ${myself}${role} 0 0 ${other.master + 1} connected${other.slots}`;
  });
  const masters = plan.filter(({ slots }) => slots !== '').length;
  await writeFile(join(dir, 'nodes.conf'), [...lines, `vars currentEpoch ${masters} lastVoteEpoch 0`, ''].join('\n'));
  const clustered = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
  const timing = ['--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0'];
  return startRedisServer({ port: node.port, dir, args: [...clustered, ...timing] });
}

class LocalCluster implements RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly #masterCount: number;
  readonly #directories: readonly string[];
  #stopped: Promise<void> | undefined;

  constructor(servers: readonly RedisServer[], masterCount: number, directories: readonly string[]) {
    this.servers = servers;
    this.#masterCount = masterCount;
    this.#directories = directories;
  }

  get urls(): readonly string[] {
    return this.servers.slice(0, this.#masterCount).map(({ url }) => url);
  }

  masters(): Promise<RedisServer[]> {
    return this.#where(async (server) => (await role(server))[0] === 'master');
  }

  async masterOf(key: string): Promise<RedisServer> {
    return this.#ownerOf(slotOf(key), await this.masters());
  }

  async replicaOf(master: RedisServer): Promise<RedisServer> {
    const [replica] = await this.#where(async (server) => {
      const [kind, , port] = await role(server);
      return kind === 'slave' && port === master.port;
    });
    assert(replica !== undefined, `the server on port ${master.port} has no replica`);
    return replica;
  }

  async moveSlot(slot: number, to: RedisServer): Promise<void> {
    const ids = new Map<RedisServer, string>();
    for (const server of await this.masters()) ids.set(server, String(await server.command('CLUSTER', 'MYID')));
    const from = await this.#ownerOf(slot, [...ids.keys()]);
    if (from === to) return;
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids.get(from)));
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(ids.get(to)));
    for (;;) {
      const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, keysPerMove)) as string[];
      if (keys.length === 0) break;
      await from.command('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    }
    // The new owner first: a slot without an owner in between would be lost to nobody.
    const others = [...ids.keys()].filter((server) => server !== from && server !== to);
    for (const server of [to, from, ...others]) {
      await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', String(ids.get(to)));
    }
  }

  async failover(master: RedisServer): Promise<RedisServer> {
    const replica = await this.replicaOf(master);
    await replica.command('CLUSTER', 'FAILOVER');
    const every = { timeoutMs: settleTimeoutMs };
    await waitUntil('the replica to take over', async () => (await role(replica))[0] === 'master', every);
    await waitUntil('the master to follow it', async () => (await role(master))[0] === 'slave', every);
    return replica;
  }

  settled(): Promise<void> {
    return waitUntil(
      'the cluster to be whole',
      async () => {
        const servers = await this.#running();
        return (await Promise.all(servers.map(isSettled))).every(Boolean);
      },
      { timeoutMs: settleTimeoutMs },
    );
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    // A master that is asked to end would wait for its replicas.
    await Promise.all(this.servers.map((server) => server.kill()));
    await Promise.all(this.servers.map((server) => server.stop()));
    await Promise.all(this.#directories.map((path) => rm(path, { recursive: true, force: true })));
  }

  async #ownerOf(slot: number, masters: readonly RedisServer[]): Promise<RedisServer> {
    for (const server of masters) {
      const nodes = String(await server.command('CLUSTER', 'NODES'));
      const own = /^\S+ \S+ myself,.*$/m.exec(nodes)?.[0].split(' ').slice(8) ?? [];
      if (own.some((range) => covers(range, slot))) return server;
    }
    return assert.fail(`no master has slot ${slot}`);
  }

  #running(): Promise<RedisServer[]> {
    return this.#where(() => Promise.resolve(true));
  }

  /** The servers of which `test` holds; one that does not run is none of them. */
  async #where(test: (server: RedisServer) => Promise<boolean>): Promise<RedisServer[]> {
    const held = await Promise.all(
      this.servers.map((server) =>
        server.command('PING').then(
          () => test(server),
          () => false,
        ),
      ),
    );
    return this.servers.filter((_, index) => held[index]);
  }
}

/** `master`; or `slave`, the host and port of its master, and how far it is. */
async function role(server: RedisServer): Promise<[kind: string, host: unknown, port: unknown, state: unknown]> {
  return (await server.command('ROLE')) as [string, unknown, unknown, unknown];
}

async function isSettled(server: RedisServer): Promise<boolean> {
  const [kind, , , state] = await role(server);
  const info = String(await server.command('CLUSTER', 'INFO'));
  return info.startsWith('cluster_state:ok') && (kind === 'master' || state === 'connected');
}

function covers(range: string, slot: number): boolean {
  const [first = NaN, last = first] = range.split('-').map(Number);
  return first <= slot && slot <= last;
}
