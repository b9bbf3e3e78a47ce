import type { Backend } from './backend/backend.js';
import { createMemoryBackend } from './backend/memory/memory-backend.js';
import { createMemoryStore } from './backend/memory/memory-store.js';
import { createRedisBackend } from './backend/redis/redis-backend.js';
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
import type { OpenOptions, RedisOptions } from './options.js';
import { createOwner } from './owner.js';
import { systemRandom } from './random.js';
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
  const environment = options.environment ?? process.env;
  const redis = resolveRedis(options, environment);
  const random = options.random ?? systemRandom;
  const clock = options.clock ?? systemClock;
  const log = options.log ?? standardErrorLog;
  const keys = createKeys(resolveNamespace(options, environment, redis !== undefined));
  const owner = createOwner(random, options.owner ?? variable(environment, 'CONTAINER_ID'));
  const backend: Backend =
    redis === undefined
      ? createMemoryBackend(options.memory ?? createMemoryStore({ clock }), keys, options.memory === undefined)
      : await createRedisBackend({ ...resolveEndpoint(redis), keys, clock, random, log, scriptTime });
  const limit = options.maxValueBytes;
  const codec = createCodec({ compress: backend.remote, ...(limit === undefined ? {} : { maxValueBytes: limit }) });
  const wakes = new Wakes(clock, random);
  await wakes.start(backend.bus, keys.wake(owner.id));
  const context: FeatureContext = { clock, random, log, codec, keys, owner, wakes };
  return new SharedState(backend, context);
}

function resolveRedis(options: OpenOptions, environment: Environment): RedisOptions | undefined {
  const { redis } = options;
  if (redis === false || (redis === undefined && options.memory !== undefined)) return undefined;
  if (redis !== undefined && options.memory !== undefined) {
    throw new InvalidArgumentError('openState', 'either redis or memory', 'both');
  }
  if (typeof redis === 'object') return redis;
  const url = redis ?? redisFromEnvironment(environment);
  return url === undefined ? undefined : { url };
}

function resolveEndpoint(redis: RedisOptions): {
  endpoint: ReturnType<typeof parseRedisUrl>;
  deadlineMs: { state: number; cache: number };
} {
  const endpoint = parseRedisUrl(redis.url);
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

function resolveNamespace(options: OpenOptions, environment: Environment, onRedis: boolean): string {
  if (options.namespace !== undefined) return options.namespace;
  if (onRedis && variable(environment, 'NODE_ENV') === 'production') {
    throw new InvalidArgumentError('namespace', 'a name of this application, so that its keys are its own', undefined);
  }
  return 'default';
}
