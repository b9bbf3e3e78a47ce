import type { AwayDefaults } from './away.js';
import type { MemoryStore } from './backend/memory/memory-store.js';
import type { Clock } from './clock.js';
import type { Duration } from './duration.js';
import type { Environment } from './environment.js';
import type { Log } from './log.js';
import type { Random } from './random.js';

/** How to reach one Redis, or the cluster that it is part of. */
export interface RedisOptions extends RedisCallOptions {
  /**
   * `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS with chain and host name verified. Where the
   * server answers at the start that it is part of a cluster, the whole cluster is used.
   */
  readonly url: string;
  /**
   * URLs of servers to turn to, in this order, while the one before cannot be reached. One that is no promoted replica of
   * the first serves caches, rate limits, counters, unique sets and presence alone. No server may be part of a cluster.
   */
  readonly fallbacks?: readonly string[];
  /** How long a better server must have answered before it is turned back to. Default 5 s. Only with `fallbacks`. */
  readonly failBackAfter?: Duration;
}

/** How to reach a Redis Cluster. */
export interface RedisClusterOptions extends RedisCallOptions {
  /**
   * URLs of some of its nodes, at least one and the more the better; the others are learnt from these. User, password
   * and TLS are the same for all of them, and there is no database but 0.
   */
  readonly cluster: readonly string[];
}

/** How to reach the master that sentinels name. */
export interface RedisSentinelOptions extends RedisCallOptions {
  /** URLs of the sentinels, such as `redis://[user:password@]host:26379`; give all of them. Their logins are their own. */
  readonly sentinels: readonly string[];
  /** The name by which the sentinels know the master. */
  readonly master: string;
  /** The user of the servers. Default: none, or `default` where there is a password. */
  readonly username?: string;
  /** The password of the servers. */
  readonly password?: string;
  /** The database of the servers. Default 0. */
  readonly database?: number;
  /** Whether the servers are reached by TLS, with chain and host name verified. Default false. */
  readonly tls?: boolean;
}

/** One place for what must not be lost, and another for what may be. */
export interface RedisSplitOptions {
  /** Where everything but caches lives. Its `maxmemory-policy` should be `noeviction`. */
  readonly state: string | RedisPlaceOptions;
  /** Where caches live; it may evict. */
  readonly cache: string | RedisPlaceOptions;
}

/** How to reach Redis: one server, perhaps with fallbacks, a cluster, or the master that sentinels name. */
export type RedisPlaceOptions = RedisOptions | RedisClusterOptions | RedisSentinelOptions;

/** What holds for every call to Redis. */
export interface RedisCallOptions {
  /** Authority certificates in PEM, for a private authority. Only with `rediss://`. */
  readonly ca?: string;
  /** How long a call on state may take. Default 500 ms. */
  readonly deadline?: Duration;
  /** How long a call on a cache may take. Default 100 ms. */
  readonly cacheDeadline?: Duration;
}

/** What becomes of writes while Redis is away. */
export interface JournalOptions {
  /** Bound on what is noted in memory until Redis is back; what does not fit is refused. Default 8 MiB. */
  readonly maxBytes?: number;
  /**
   * Where queues keep the jobs that are added while Redis is away, on local disk: each process writes a file of its own, whose name
   * begins with this, and takes over those of dead ones. The folder must exist. Default `COMMONHOLD_JOURNAL_FILE`, else none:
   * jobs are then refused while Redis is away. In memory it is not used.
   */
  readonly file?: string;
  /** Bound on what waits in the file of one process, which may be twice as large. Default 64 MiB. */
  readonly maxFileBytes?: number;
}

/** Options of `openState`. Each wins over the environment variable of the same purpose. */
export interface OpenOptions {
  /**
   * What all keys begin with: 1 to 64 letters, digits, `_`, `.`, `-`. Mandatory when Redis is used with
   * `NODE_ENV=production`; otherwise 'default'.
   */
  readonly namespace?: string;
  /** A URL or options; `false` for memory whatever the environment says. Default: what the environment says. */
  readonly redis?: string | RedisPlaceOptions | RedisSplitOptions | false;
  /**
   * What features do while Redis is away that are not told otherwise where they are used: `'throw'` has all of them reject
   * with `Unavailable`. Default: as docs/outages.md says of each.
   */
  readonly away?: AwayDefaults;
  /** What may be written while Redis is away, and where it waits. */
  readonly journal?: JournalOptions;
  /** Name of this process for people. Default `CONTAINER_ID`, else host name and process id. */
  readonly owner?: string;
  /** The store to use in memory, to share it between several states. Default: one of its own. */
  readonly memory?: MemoryStore;
  /** Bound on one encoded value. Default 1 MiB. */
  readonly maxValueBytes?: number;
  /** Where the few log lines go: a pino or Fastify logger fits. Default: warnings and errors to standard error. */
  readonly log?: Log;
  /** Environment variables. Default `process.env`. */
  readonly environment?: Environment;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** Randomness, for tests. */
  readonly random?: Random;
}
