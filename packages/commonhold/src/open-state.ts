import type { Backend } from './backend/backend.js';
import { createMemoryBackend } from './backend/memory/memory-backend.js';
import { createMemoryStore } from './backend/memory/memory-store.js';
import { createRedisBackend } from './backend/redis/redis-backend.js';
import type { RedisConnectionOptions } from './backend/redis/redis-connection.js';
import { parseRedisUrl } from './backend/redis/redis-endpoint.js';
import { type ScriptTime, serverTime } from './backend/redis/script.js';
import { Wakes } from './backend/wakes.js';
import { systemClock } from './clock.js';
import { createCodec } from './codec/codec.js';
import { durationMs } from './duration.js';
import { type Environment, redisFromEnvironment, variable } from './environment.js';
import { InvalidArgumentError } from './errors.js';
import type { FeatureContext } from './feature-context.js';
import { createKeys } from './keys.js';
import { standardErrorLog } from './log.js';
import { checkOptionNames, type OptionNames } from './option-names.js';
import type { OpenOptions, RedisOptions } from './options.js';
import { createOwner, type Owner } from './owner.js';
import { type Random, systemRandom } from './random.js';
import { SharedState } from './shared-state.js';

/**
 * Opens shared state: in memory, or on Redis where options or environment name one. Options win over environment
 * variables, and those over memory.
 *
 * A Redis that cannot be reached does not reject: the state is then degraded, every call fails at once with
 * `Unavailable`, and all is well when Redis comes.
 *
 * @throws InvalidArgumentError for a bad option or variable, saying what was expected, what came and where.
 * @throws MissingDependencyError when Redis is named and `@redis/client` is not installed.
 */
export function openState(options: OpenOptions = {}): Promise<SharedState> {
  return openStateWith(options, serverTime);
}

/** As {@link openState}, with the time that scripts see given by the caller: for moving time in tests. */
export async function openStateWith(options: OpenOptions, scriptTime: ScriptTime): Promise<SharedState> {
  checkOptionNames('openState', options, openOptionNames);
  const environment = options.environment ?? process.env;
  const random = options.random ?? systemRandom;
  const clock = options.clock ?? systemClock;
  const log = options.log ?? standardErrorLog;
  const redis = resolveRedis(options, environment);
  const keys = createKeys(resolveNamespace(options, environment, redis !== undefined));
  const owner = resolveOwner(options, environment, random);
  const codec = createCodec({ compress: redis !== undefined, maxValueBytes: options.maxValueBytes });
  // Everything that may be refused comes before this line: a connection that was opened would be left behind.
  const backend: Backend =
    redis === undefined
      ? createMemoryBackend(options.memory ?? createMemoryStore({ clock }), keys, options.memory === undefined)
      : await createRedisBackend({ ...redis, keys, clock, random, log, scriptTime });
  const wakes = new Wakes(clock, random);
  await wakes.start(backend.bus, keys.wake(owner.id));
  const context: FeatureContext = { clock, random, log, codec, keys, owner, wakes, bus: backend.bus };
  return new SharedState(backend, context);
}

const openOptionNames = {
  namespace: true,
  redis: true,
  owner: true,
  memory: true,
  maxValueBytes: true,
  log: true,
  environment: true,
  clock: true,
  random: true,
} satisfies OptionNames<OpenOptions>;
const redisOptionNames = {
  url: true,
  ca: true,
  deadline: true,
  cacheDeadline: true,
} satisfies OptionNames<RedisOptions>;

type ResolvedRedis = Pick<RedisConnectionOptions, 'endpoint' | 'deadlineMs'>;

function resolveRedis(options: OpenOptions, environment: Environment): ResolvedRedis | undefined {
  const { redis, memory } = options;
  if (redis === false) return undefined;
  if (memory !== undefined) {
    if (redis !== undefined) throw new InvalidArgumentError('openState', 'either redis or memory', 'both');
    return undefined;
  }
  if (typeof redis === 'object' && redis !== null) {
    checkOptionNames('redis', redis, redisOptionNames);
    return resolveOptions(redis);
  }
  if (redis !== undefined) return resolveOptions({ url: redis }, 'redis');
  const named = redisFromEnvironment(environment);
  return named === undefined ? undefined : resolveOptions(named, named.where);
}

function resolveOptions(redis: RedisOptions, where: string = 'redis.url'): ResolvedRedis {
  const endpoint = parseRedisUrl(redis.url, where);
  if (redis.ca !== undefined && endpoint.tls === undefined) {
    throw new InvalidArgumentError('redis.ca', 'a rediss:// URL beside it', 'a redis:// URL');
  }
  return {
    endpoint: redis.ca === undefined ? endpoint : { ...endpoint, tls: { ca: redis.ca } },
    deadlineMs: {
      state: durationMs(redis.deadline ?? 500, 'redis.deadline'),
      cache: durationMs(redis.cacheDeadline ?? 100, 'redis.cacheDeadline'),
    },
  };
}

function resolveOwner(options: OpenOptions, environment: Environment, random: Random): Owner {
  if (options.owner !== undefined) return createOwner(random, options.owner);
  return createOwner(random, variable(environment, 'CONTAINER_ID'), 'Environment variable CONTAINER_ID');
}

function resolveNamespace(options: OpenOptions, environment: Environment, onRedis: boolean): string {
  if (options.namespace !== undefined) return options.namespace;
  if (onRedis && variable(environment, 'NODE_ENV') === 'production') {
    throw new InvalidArgumentError('namespace', 'a name of this application, so that its keys are its own', undefined);
  }
  return 'default';
}
