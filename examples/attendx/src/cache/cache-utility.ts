import type { Log, SharedState } from 'commonhold';
import { RedisClient } from './redis-client.js';

/** The functions of the cache utility; each works by itself, taken out of the object. */
export interface CacheUtility {
  /** The one client of this state, always the same. */
  readonly getRedisClient: () => RedisClient;
  /** As `RedisClient.get`. */
  readonly cacheGet: (key: string) => Promise<unknown>;
  /** As `RedisClient.set`. Default one hour. */
  readonly cacheSet: (key: string, value: unknown, expireSeconds?: number) => Promise<boolean>;
  /** As `RedisClient.delete`. */
  readonly cacheDelete: (key: string) => Promise<boolean>;
  /** As `RedisClient.clearPattern`. Default everything. */
  readonly cacheClear: (pattern?: string) => Promise<number | null>;
}

/**
 * Opens the cache utility on a state. Several systems run in one process, each with a state of its own, so the client is one
 * for each state and not one for the process.
 */
export function openCacheUtility(state: SharedState, log: Log): CacheUtility {
  const client = new RedisClient(state, log);
  return {
    getRedisClient: () => client,
    cacheGet: (key) => client.get(key),
    cacheSet: (key, value, expireSeconds) => client.set(key, value, expireSeconds),
    cacheDelete: (key) => client.delete(key),
    cacheClear: (pattern = '*') => client.clearPattern(pattern),
  };
}
