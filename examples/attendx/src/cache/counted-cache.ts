import type { Cache, Counter } from 'commonhold';

/** A value, and whether it was there already. */
export interface Cached<Value> {
  readonly value: Value;
  /** False for the one who had it computed. */
  readonly cached: boolean;
}

/** Hits and misses over all processes. */
export interface CacheCounters {
  readonly hits: Counter;
  readonly misses: Counter;
}

/**
 * The value of `key`, or what `compute` returns, which runs once over all processes. The outcome is counted, which nobody
 * waits for. While the store is away the value is computed.
 */
export async function cachedOrComputed<Value>(
  cache: Cache<Value>,
  counters: CacheCounters,
  key: string,
  compute: () => Promise<Value>,
): Promise<Cached<Value>> {
  let computed = false;
  const value = await cache.getOrSet(key, () => {
    computed = true;
    return compute();
  });
  // A count that is lost with the store is no reason to fail.
  (computed ? counters.misses : counters.hits).add(1).catch(() => undefined);
  return { value, cached: !computed };
}
