import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { type RedisServer, startRedisServer } from './redis-server.js';
import { waitUntil } from './waiting.js';

/** How many servers and sentinels to start. */
export interface RedisSentinelsOptions {
  /** Replicas of the one master. Default 1. */
  readonly replicas?: number;
  /** An odd number; the greater half of them must agree that the master is down. Default 3. */
  readonly sentinels?: number;
  /** How long the master may be silent before a sentinel calls it down. Default 1,000 ms. */
  readonly downAfterMs?: number;
}

/** A real master with replicas and the sentinels that watch it. They keep nothing, and never outlive this process. */
export interface RedisSentinels extends AsyncDisposable {
  /** The name by which the sentinels know the master: `main`. */
  readonly masterName: string;
  /** First the one that began as the master. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The URLs of the sentinels. */
  readonly urls: readonly string[];
  /** The server that the sentinels name, which may be down. */
  master(): Promise<RedisServer>;
  /** Resolves when all sentinels name one master, and every other server that runs follows it. */
  settled(): Promise<void>;
  /** Ends all of them. Calling it twice is harmless. */
  stop(): Promise<void>;
}

const masterName = 'main';
const settleTimeoutMs = 30_000;

/**
 * Starts a master, its replicas and the sentinels, and resolves when a failover could begin.
 *
 * @throws MissingDependencyError when no `redis-server` is on PATH; AssertionError when one does not start.
 */
export async function startRedisSentinels(options: RedisSentinelsOptions = {}): Promise<RedisSentinels> {
  const { replicas = 1, sentinels = 3 } = options;
  const ports = await freePorts(1 + replicas + sentinels);
  const [masterPort = 0] = ports;
  const servers: RedisServer[] = [];
  const watchers: RedisServer[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-sentinel-'));
  const started = new LocalSentinels(servers, watchers, directory);
  try {
    for (const [index, port] of ports.slice(0, 1 + replicas).entries()) {
      const follow = index === 0 ? [] : ['--replicaof', '127.0.0.1', String(masterPort)];
      const fast = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
      servers.push(await startRedisServer({ port, args: [...fast, ...follow] }));
    }
    const files = await writeConfigs(directory, ports, options);
    const begun = await Promise.allSettled(
      files.map(({ port, config }) => startRedisServer({ port, config, args: ['--sentinel'] })),
    );
    for (const one of begun) if (one.status === 'fulfilled') watchers.push(one.value);
    const failed = begun.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await started.settled();
    return started;
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

// Sentinels that begin with a file that names all of them need not find each other, which would take seconds.
async function writeConfigs(
  directory: string,
  ports: readonly number[],
  { replicas = 1, sentinels = 3, downAfterMs = 1_000 }: RedisSentinelsOptions,
): Promise<{ port: number; config: string }[]> {
  const [masterPort] = ports;
  const others = ports.slice(1, 1 + replicas).map((port) => `sentinel known-replica ${masterName} 127.0.0.1 ${port}`);
  const watchers = ports.slice(1 + replicas).map((port) => ({ port, id: randomBytes(20).toString('hex') }));
  return Promise.all(
    watchers.map(async (own) => {
      const known = watchers
        .filter((watcher) => watcher !== own)
        .map(({ port, id }) => `sentinel known-sentinel ${masterName} 127.0.0.1 ${port} ${id}`);
      const file = join(directory, `sentinel-${own.port}.conf`);
      const lines = [
        `sentinel myid ${own.id}`,
        `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} ${Math.floor(sentinels / 2) + 1}`,
        `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
        `sentinel failover-timeout ${masterName} ${Math.max(2_000, 5 * downAfterMs)}`,
        ...others,
        ...known,
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      return { port: own.port, config: file };
    }),
  );
}

class LocalSentinels implements RedisSentinels {
  readonly masterName = masterName;
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  readonly #directory: string;
  #stopped: Promise<void> | undefined;

  constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[], directory: string) {
    this.servers = servers;
    this.sentinels = sentinels;
    this.#directory = directory;
  }

  get urls(): readonly string[] {
    return this.sentinels.map(({ url }) => url);
  }

  async master(): Promise<RedisServer> {
    const named = await Promise.allSettled(this.sentinels.map(masterPort));
    const ports = new Set(named.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    const found = this.servers.filter(({ port }) => ports.has(port));
    assert(found[0] !== undefined && found.length === 1, `the sentinels name ${found.length} masters`);
    return found[0];
  }

  settled(): Promise<void> {
    return waitUntil('the sentinels to agree and the replicas to follow', () => this.#isSettled(), {
      timeoutMs: settleTimeoutMs,
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const all = [...this.sentinels, ...this.servers];
    // A master that is asked to end would wait for its replicas.
    await Promise.all(all.map((server) => server.kill()));
    await Promise.all(all.map((server) => server.stop()));
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #isSettled(): Promise<boolean> {
    const master = await this.master().catch(() => undefined);
    if (master === undefined) return false;
    const links = await Promise.all(this.servers.filter((server) => server !== master).map(linkOf));
    const flags = await Promise.all(this.sentinels.map((sentinel) => masterFlags(sentinel).catch(() => '')));
    if (!links.every((link) => link !== 'broken') || !flags.every((text) => text === 'master')) return false;
    return isStreaming(master, links.filter((link) => link === 'following').length);
  }
}

async function masterPort(sentinel: RedisServer): Promise<number> {
  const reply = await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName);
  return Number((reply as string[])[1]);
}

async function masterFlags(sentinel: RedisServer): Promise<string> {
  const words = (await sentinel.command('SENTINEL', 'MASTER', masterName)) as string[];
  return words[words.indexOf('flags') + 1] ?? '';
}

async function linkOf(server: RedisServer): Promise<'following' | 'broken' | 'down'> {
  try {
    const [kind, , , state] = (await server.command('ROLE')) as [string, unknown, unknown, unknown];
    return kind === 'slave' && state === 'connected' ? 'following' : 'broken';
  } catch {
    return 'down';
  }
}

// A replica that has its copy is sent what comes next only from its first word on, up to a second later.
async function isStreaming(master: RedisServer, replicas: number): Promise<boolean> {
  await master.command('PUBLISH', 'commonhold-settled', '');
  return (await master.command('WAIT', replicas, 100)) === replicas;
}
