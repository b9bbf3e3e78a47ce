import type { RedisEndpoint } from './backend/redis/redis-client.js';
import { nodeAddress } from './backend/redis/cluster-topology.js';
import { parseRedisUrl, parseRedisUrls, type Some } from './backend/redis/redis-endpoint.js';
import { durationMs } from './duration.js';
import { type Environment, type NamedRedis, redisFromEnvironment } from './environment.js';
import { InvalidArgumentError } from './errors.js';
import type { DeadlineClass } from './operation.js';
import { checkOptionNames, type NameOption, type OptionNames } from './option-names.js';
import type {
  OpenOptions,
  RedisCallOptions,
  RedisClusterOptions,
  RedisOptions,
  RedisPlaceOptions,
  RedisSentinelOptions,
  RedisSplitOptions,
} from './options.js';
import { type SentinelPlace, sentinelPlace } from './sentinel-place.js';

/** Where Redis is: one place, or one for state and another for caches. */
export type RedisPlace = SinglePlace | SplitPlace;

/** Two places. */
export interface SplitPlace {
  readonly state: SinglePlace;
  readonly cache: SinglePlace;
}

/** Where one Redis is, of whichever topology, and how long calls to it may take. */
export type SinglePlace = { readonly deadlineMs: Readonly<Record<DeadlineClass, number>> } & (
  | { readonly endpoint: RedisEndpoint }
  | { readonly endpoints: Some<RedisEndpoint>; readonly failBackMs: number }
  | { readonly seeds: Some<RedisEndpoint> }
  | SentinelPlace
);

const callOptionNames = { ca: true, deadline: true, cacheDeadline: true } satisfies OptionNames<RedisCallOptions>;
const redisOptionNames = {
  url: true,
  fallbacks: true,
  failBackAfter: true,
  ...callOptionNames,
} satisfies OptionNames<RedisOptions>;
const clusterOptionNames = { cluster: true, ...callOptionNames } satisfies OptionNames<RedisClusterOptions>;
const splitOptionNames = { state: true, cache: true } satisfies OptionNames<RedisSplitOptions>;
const sentinelOptionNames = {
  sentinels: true,
  master: true,
  username: true,
  password: true,
  database: true,
  tls: true,
  ...callOptionNames,
} satisfies OptionNames<RedisSentinelOptions>;

/**
 * What options and environment say of Redis; undefined for memory.
 * @throws InvalidArgumentError naming the option or the variable.
 */
export function resolveRedis(options: OpenOptions, environment: Environment): RedisPlace | undefined {
  const { redis, memory } = options;
  if (redis === false) return undefined;
  if (memory !== undefined) {
    if (redis !== undefined) throw new InvalidArgumentError('openState', 'either redis or memory', 'both');
    return undefined;
  }
  if (redis === undefined) return resolveNamed(redisFromEnvironment(environment));
  if (typeof redis !== 'object' || redis === null || !isSplit(redis)) return resolvePlace(redis, 'redis');
  checkOptionNames('redis', redis, splitOptionNames);
  return { state: resolvePlace(redis.state, 'redis.state'), cache: resolvePlace(redis.cache, 'redis.cache') };
}

function isSplit(redis: RedisPlaceOptions | RedisSplitOptions): redis is RedisSplitOptions {
  return 'state' in redis || 'cache' in redis;
}

function resolveNamed(named: NamedRedis | undefined): RedisPlace | undefined {
  if (named === undefined) return undefined;
  const state = placeOf(named, (option) => named.variables?.[option] ?? named.where);
  if (named.cacheUrl === undefined) return state;
  return { state, cache: placeOf({ url: named.cacheUrl }, () => 'Environment variable REDIS_CACHE_URL') };
}

function resolvePlace(redis: string | RedisPlaceOptions, path: string): SinglePlace {
  if (typeof redis !== 'object' || redis === null) return placeOf({ url: redis }, () => path);
  checkOptionNames(path, redis, optionNamesOf(redis));
  return placeOf(redis, (option) => `${path}.${option}`);
}

function optionNamesOf(redis: RedisPlaceOptions): OptionNames<RedisPlaceOptions> {
  if ('cluster' in redis) return clusterOptionNames;
  return 'sentinels' in redis ? sentinelOptionNames : redisOptionNames;
}

function placeOf(redis: RedisPlaceOptions, name: NameOption): SinglePlace {
  const deadlineMs = {
    state: durationMs(redis.deadline ?? 500, name('deadline')),
    cache: durationMs(redis.cacheDeadline ?? 100, name('cacheDeadline')),
  };
  if ('cluster' in redis) return { deadlineMs, seeds: seedsOf(redis, name) };
  if ('sentinels' in redis) return { deadlineMs, ...sentinelPlace(redis, name) };
  const endpoint = withAuthority(parseRedisUrl(redis.url, name('url')), redis.ca, name);
  if (redis.fallbacks !== undefined) return { deadlineMs, ...fallbackPlace(endpoint, redis, name) };
  if (redis.failBackAfter === undefined) return { deadlineMs, endpoint };
  throw new InvalidArgumentError(name('failBackAfter'), 'fallbacks beside it', 'none');
}

function fallbackPlace(
  primary: RedisEndpoint,
  { fallbacks, failBackAfter = '5s', ca }: RedisOptions,
  name: NameOption,
): { readonly endpoints: Some<RedisEndpoint>; readonly failBackMs: number } {
  const where = name('fallbacks');
  const others = parseRedisUrls(fallbacks, where, 'server', (endpoint) => withAuthority(endpoint, ca, name));
  const servers = new Set([primary, ...others].map((endpoint) => `${nodeAddress(endpoint)}/${endpoint.database}`));
  if (servers.size <= others.length) throw new InvalidArgumentError(where, 'each server once', 'one of them twice');
  return { endpoints: [primary, ...others], failBackMs: durationMs(failBackAfter, name('failBackAfter')) };
}

function seedsOf({ cluster, ca }: RedisClusterOptions, name: NameOption): Some<RedisEndpoint> {
  const where = name('cluster');
  const [first, ...others] = parseRedisUrls(cluster, where, 'node', (seed) => withAuthority(seed, ca, name));
  for (const seed of [first, ...others]) checkSeed(seed, first, where);
  return [first, ...others];
}

// The nodes learnt later have no URL of their own, so that all must be reached in the same way.
function checkSeed(seed: RedisEndpoint, first: RedisEndpoint, where: string): void {
  const { username, password, tls, database } = seed;
  if (database !== 0) throw new InvalidArgumentError(where, 'no database but 0, as a cluster has no other', database);
  if (username === first.username && password === first.password && (tls === undefined) === (first.tls === undefined)) {
    return;
  }
  throw new InvalidArgumentError(where, 'one user, password and scheme for all nodes', 'different ones');
}

function withAuthority(endpoint: RedisEndpoint, ca: string | undefined, name: NameOption): RedisEndpoint {
  if (ca === undefined) return endpoint;
  if (endpoint.tls !== undefined) return { ...endpoint, tls: { ca } };
  throw new InvalidArgumentError(name('ca'), 'a rediss:// URL beside it', 'a redis:// URL');
}
