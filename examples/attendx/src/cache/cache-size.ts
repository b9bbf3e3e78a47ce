import { setTimeout as sleep } from 'node:timers/promises';
import type { AttendxState } from '../attendx-state.js';

/** What the store holds; null where that is not known. */
export interface CacheSize {
  /** Keys of the Redis database; in memory, entries of this system's maps. */
  readonly keys: number | null;
  /** Bytes that Redis uses; in memory, those of this process's heap. */
  readonly memory: number | null;
}

/** The part of node-redis that is asked here. */
interface RawClient {
  dbSize(): Promise<number>;
  info(section: string): Promise<string>;
}

/** How long Redis may take to answer. */
const deadlineMs = 500;

/** Asks Redis itself, as the utility's `client` is there for. */
export async function measureCache(state: AttendxState): Promise<CacheSize> {
  const redis = state.utility.getRedisClient();
  if (state.shared.status().kind === 'memory') {
    const counts = [state.accounts.count(), state.profiles.count(), state.people.count(), redis.count()];
    const keys = (await Promise.all(counts)).reduce((sum: number, count) => sum + (count ?? 0), 0);
    return { keys, memory: process.memoryUsage().heapUsed };
  }
  if (!redis.isConnected) return { keys: null, memory: null };
  return measureRedis(redis.client as RawClient);
}

async function measureRedis(client: RawClient): Promise<CacheSize> {
  const unknown = { keys: null, memory: null };
  const measured = Promise.all([client.dbSize(), client.info('memory')]).then(
    ([keys, info]) => ({ keys, memory: Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? Number.NaN) || null }),
    () => unknown,
  );
  // The raw client waits for a hung server for ever.
  const ended = new AbortController();
  const tooLate = sleep(deadlineMs, unknown, { signal: ended.signal }).catch(() => unknown);
  return Promise.race([measured, tooLate]).finally(() => ended.abort());
}
