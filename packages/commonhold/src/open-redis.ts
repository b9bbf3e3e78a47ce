import type { Backend } from './backend/backend.js';
import { createFallbackBackend, createSentinelBackend } from './backend/redis/moving-backend.js';
import { createClusterBackend, createRedisBackend, type RedisBackendOptions } from './backend/redis/redis-backend.js';
import { createSplitBackend } from './backend/split-backend.js';
import { type Log, logWith } from './log.js';
import type { RedisPlace, SinglePlace } from './redis-place.js';

/** What every connection is given, wherever it leads. */
export type RedisNeeds = Omit<RedisBackendOptions, 'endpoint' | 'deadlineMs'>;

/**
 * Opens the backend of a place, and gives each of its stores to `complete`, with the log for what is said of it and whether
 * it holds caches alone. Resolves after the first attempts to connect, whether or not they succeeded.
 */
export async function openRedis(
  place: RedisPlace,
  needs: RedisNeeds,
  complete: (store: Backend, log: Log, onlyCaches: boolean) => Backend,
): Promise<Backend> {
  if (!('state' in place)) return complete(await openSingle(place, needs), needs.log, false);
  const logs = { state: logWith(needs.log, { store: 'state' }), cache: logWith(needs.log, { store: 'cache' }) };
  const [state, cache] = await Promise.allSettled([
    openSingle(place.state, { ...needs, log: logs.state }),
    openSingle(place.cache, { ...needs, log: logs.cache, mayEvict: true }),
  ]);
  if (state.status === 'fulfilled' && cache.status === 'fulfilled') {
    // Each has outages of its own.
    return createSplitBackend(complete(state.value, logs.state, false), complete(cache.value, logs.cache, true));
  }
  throw [state, cache].find((opened) => opened.status === 'rejected')?.reason;
}

function openSingle(place: SinglePlace, needs: RedisNeeds): Promise<Backend> {
  if ('seeds' in place) return createClusterBackend({ ...needs, ...place });
  if ('sentinels' in place) return createSentinelBackend({ ...needs, ...place });
  return 'endpoints' in place
    ? createFallbackBackend({ ...needs, ...place })
    : createRedisBackend({ ...needs, ...place });
}
