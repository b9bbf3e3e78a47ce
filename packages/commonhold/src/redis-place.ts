import type { RedisEndpoint } from './backend/redis/redis-client.js';
import { parseRedisUrl } from './backend/redis/redis-endpoint.js';
import { durationMs } from './duration.js';
import { type Environment, redisFromEnvironment } from './environment.js';
import { InvalidArgumentError } from './errors.js';
import type { DeadlineClass } from './operation.js';
import { checkOptionNames, type OptionNames } from './option-names.js';
import type { OpenOptions, RedisCallOptions, RedisClusterOptions, RedisOptions } from './options.js';

/** Where Redis is, and how long calls to it may take. */
export type RedisPlace = { readonly deadlineMs: Readonly<Record<DeadlineClass, number>> } & (
  | { readonly endpoint: RedisEndpoint }
  | { readonly seeds: readonly [RedisEndpoint, ...RedisEndpoint[]] }
);

const callOptionNames = { ca: true, deadline: true, cacheDeadline: true } satisfies OptionNames<RedisCallOptions>;
const redisOptionNames = { url: true, ...callOptionNames } satisfies OptionNames<RedisOptions>;
const clusterOptionNames = { cluster: true, ...callOptionNames } satisfies OptionNames<RedisClusterOptions>;

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
  if (typeof redis === 'object' && redis !== null) return resolveOptions(redis);
  if (redis !== undefined) return placeOf({ url: redis }, 'redis');
  const named = redisFromEnvironment(environment);
  return named === undefined ? undefined : placeOf(named, named.where);
}

function resolveOptions(redis: RedisOptions | RedisClusterOptions): RedisPlace {
  const clustered = 'cluster' in redis;
  checkOptionNames('redis', redis, clustered ? clusterOptionNames : redisOptionNames);
  return placeOf(redis, clustered ? 'redis.cluster' : 'redis.url');
}

function placeOf(redis: RedisOptions | RedisClusterOptions, where: string): RedisPlace {
  const deadlineMs = {
    state: durationMs(redis.deadline ?? 500, 'redis.deadline'),
    cache: durationMs(redis.cacheDeadline ?? 100, 'redis.cacheDeadline'),
  };
  if ('cluster' in redis) return { deadlineMs, seeds: seedsOf(redis, where) };
  return { deadlineMs, endpoint: withAuthority(parseRedisUrl(redis.url, where), redis.ca) };
}

function seedsOf({ cluster, ca }: RedisClusterOptions, where: string): [RedisEndpoint, ...RedisEndpoint[]] {
  const urls: unknown = cluster;
  if (!Array.isArray(urls)) throw new InvalidArgumentError(where, 'a list of URLs', urls);
  const [first, ...others] = cluster.map((url) => withAuthority(parseRedisUrl(url, where), ca));
  if (first === undefined) throw new InvalidArgumentError(where, 'the URL of at least one node', 'none');
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

function withAuthority(endpoint: RedisEndpoint, ca: string | undefined): RedisEndpoint {
  if (ca === undefined) return endpoint;
  if (endpoint.tls !== undefined) return { ...endpoint, tls: { ca } };
  throw new InvalidArgumentError('redis.ca', 'a rediss:// URL beside it', 'a redis:// URL');
}
