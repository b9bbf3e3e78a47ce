import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Backend, Ports } from '../backend/backend.js';
import { createMemoryBackend } from '../backend/memory/memory-backend.js';
import { createMemoryStore } from '../backend/memory/memory-store.js';
import { createClusterBackend, createRedisBackend, type RedisBackendOptions } from '../backend/redis/redis-backend.js';
import type { RedisEndpoint } from '../backend/redis/redis-client.js';
import { parseRedisUrl } from '../backend/redis/redis-endpoint.js';
import type { ScriptTime } from '../backend/redis/script.js';
import { createKeys } from '../keys.js';
import { createOwner } from '../owner.js';
import type { Log } from '../log.js';
import { openState, openStateWith } from '../open-state.js';
import type { OpenOptions } from '../options.js';
import { systemRandom } from '../random.js';
import type { SharedState } from '../shared-state.js';
import { createManualClock } from './manual-clock.js';
import type { RedisCluster } from './redis-cluster.js';
import type { RedisServer } from './redis-server.js';
import { createShiftedClock, type ShiftedClock } from './shifted-clock.js';

/** One empty store with time under our hand. Everything opened from it sees the same data. */
export interface Engine {
  /** A state of its own, as another process would have it, in this engine's namespace unless told otherwise. */
  open(options?: OpenOptions): Promise<SharedState>;
  /** The bare ports of one more connection. */
  ports(): Promise<Ports>;
  /** Moves time forward for everything opened and stored. */
  advance(ms: number): Promise<void>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Makes engines of one kind, for a suite to run on. */
export interface EngineKind {
  readonly name: string;
  start(): Promise<Engine>;
}

// A machine that is busy with other tests is not an outage.
const unhurriedMs = { state: 2_000, cache: 2_000 };
const unhurried = { deadline: unhurriedMs.state, cacheDeadline: unhurriedMs.cache };

const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Memory, on a manual clock. */
export const memoryEngine: EngineKind = {
  name: 'memory',
  start: async () => {
    const clock = createManualClock();
    const memory = createMemoryStore({ clock });
    const namespace = freshNamespace();
    const opened = new Opened();
    return {
      open: async (options) => opened.add(await openState({ namespace, memory, clock, log: silentLog, ...options })),
      ports: async () => createMemoryBackend(memory, createKeys(namespace), false).ports,
      advance: (ms) => clock.advance(ms),
      close: async () => {
        await opened.close();
        memory.close();
      },
    };
  },
};

/** A real server, each engine in its own namespace. Scripts see the server's time, moved by `advance` (K4). */
export function redisEngine(server: RedisServer, name: string = 'redis'): EngineKind {
  return {
    name,
    start: async () => {
      const clock = createShiftedClock();
      return startEngine(oneServer(server), clock, movedTime(clock));
    },
  };
}

/** As {@link redisEngine}, with each script as `rewrite` leaves it. */
export function rewrittenRedisEngine(server: RedisServer, rewrite: (source: string) => string): EngineKind {
  return {
    name: 'redis',
    start: async () => {
      const clock = createShiftedClock();
      return startEngine(oneServer(server), clock, { ...movedTime(clock), rewrite });
    },
  };
}

/** A real cluster, each engine in its own namespace; otherwise as {@link redisEngine}. */
export function redisClusterEngine(cluster: RedisCluster): EngineKind {
  return {
    name: 'redis cluster',
    start: async () => {
      const clock = createShiftedClock();
      return startEngine(
        {
          redis: { cluster: cluster.urls, ...unhurried },
          backend: (options) => {
            const [first, ...others] = cluster.urls.map((url) => parseRedisUrl(url));
            return createClusterBackend({ ...options, seeds: [first as RedisEndpoint, ...others] });
          },
          servers: () => cluster.masters(),
        },
        clock,
        movedTime(clock),
      );
    },
  };
}

/**
 * A real server whose scripts see a time that stands still but for `advance`, so that the milliseconds between two calls
 * decide nothing. Native expiry goes on in real time.
 */
export function stoppedRedisEngine(server: RedisServer): EngineKind {
  return {
    name: 'redis',
    start: async () => {
      const clock = createManualClock();
      const wire = createShiftedClock();
      const moved = { ...wire, advance: (ms: number) => clock.advance(ms) };
      const argument = (): string => String(clock.now());
      return startEngine(oneServer(server), moved, { prelude: 'local now = tonumber(table.remove(ARGV))\n', argument });
    },
  };
}

/** Where an engine's states live. */
interface EnginePlace {
  readonly redis: NonNullable<OpenOptions['redis']>;
  readonly backend: (options: Omit<RedisBackendOptions, 'endpoint'>) => Promise<Backend>;
  /** The servers that hold the keys now. */
  readonly servers: () => Promise<readonly RedisServer[]>;
}

function oneServer(server: RedisServer): EnginePlace {
  const endpoint = parseRedisUrl(server.url);
  return {
    redis: { url: server.url, ...unhurried },
    backend: (options) => createRedisBackend({ ...options, endpoint }),
    servers: () => Promise.resolve([server]),
  };
}

function movedTime(clock: ShiftedClock): ScriptTime {
  return {
    prelude:
      "local time = redis.call('TIME') " +
      'local now = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(table.remove(ARGV))\n',
    argument: () => String(clock.aheadMs),
  };
}

async function startEngine(
  { redis, backend, servers }: EnginePlace,
  clock: Clock & { advance(ms: number): void | Promise<void> },
  scriptTime: ScriptTime,
): Promise<Engine> {
  const namespace = freshNamespace();
  const opened = new Opened();
  const random = systemRandom;
  return {
    open: async (options) => {
      const defaults: OpenOptions = { namespace, redis, clock, log: silentLog };
      return opened.add(await openStateWith({ ...defaults, ...options }, scriptTime));
    },
    ports: async () => {
      const keys = createKeys(namespace);
      const owner = createOwner(random, 'ports').id;
      const shared = { keys, owner, clock, random, log: silentLog, scriptTime };
      return opened.add(await backend({ deadlineMs: unhurriedMs, ...shared })).ports;
    },
    advance: async (ms) => {
      await clock.advance(ms);
      for (const server of await servers()) {
        await server.command('EVAL', shortenLives, '0', `${namespace}:*`, String(ms));
      }
    },
    close: () => opened.close(),
  };
}

// Native expiry cannot be told that time has moved, so each life is shortened by as much.
const shortenLives = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    redis.call('PEXPIRE', key, left - tonumber(ARGV[2]))
  end
end`;

class Opened {
  readonly #things: { close(): Promise<void> }[] = [];

  add<Thing extends { close(): Promise<void> }>(thing: Thing): Thing {
    this.#things.push(thing);
    return thing;
  }

  async close(): Promise<void> {
    await Promise.all(this.#things.splice(0).map((thing) => thing.close()));
  }
}

function freshNamespace(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}
