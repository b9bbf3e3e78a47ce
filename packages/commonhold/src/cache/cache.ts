import type { Stored } from '../codec/stored.js';
import type { FeatureContext } from '../feature-context.js';
import { CacheLifetimes } from './cache-lifetimes.js';
import {
  type CacheClearOptions,
  type CacheGetOptions,
  type CacheOptions,
  type CacheRules,
  type CacheSetOptions,
  lifetimeOf,
  resolveCacheOptions,
  resolveClear,
  takesStale,
} from './cache-options.js';
import type { CachePort } from './cache-port.js';
import { CacheReader, type FoundValues } from './cache-reader.js';
import { type CacheStats, startTally } from './cache-stats.js';
import { CacheValues } from './cache-values.js';
import type { Compute } from './compute-run.js';
import { Computing } from './computing.js';
import type { NearCache } from './near-cache.js';
import type { NearCaches } from './near-caches.js';

/**
 * Values by key, for a time. Values are what JSON holds, and also Date, Map, Set, BigInt, bytes and typed arrays. A key is
 * any non-empty text. What comes back is a copy that the caller may change, but for
 * `near` caches.
 *
 * Every method but `getOrSet` rejects with `Unavailable` when the store certainly did nothing, and with `OutcomeUnknown` when
 * a write may have happened; writing again is always safe. `getOrSet` computes without the store.
 */
export class Cache<Value> {
  readonly #name: string;
  readonly #port: CachePort;
  readonly #rules: CacheRules;
  readonly #values: CacheValues<Value>;
  readonly #lifetimes: CacheLifetimes;
  readonly #tally = startTally();
  readonly #near: NearCache<Value> | undefined;
  readonly #reader: CacheReader<Value>;
  readonly #computing: Computing<Value>;

  /** Use `state.cache(name, options)`. */
  constructor(name: string, options: CacheOptions, port: CachePort, context: FeatureContext, nears: NearCaches) {
    const rules = resolveCacheOptions(name, options);
    const values = new CacheValues<Value>(name, context);
    const lifetimes = new CacheLifetimes(rules, context.random);
    const near = rules.near && nears.open<Value>(name, rules.near);
    const tally = this.#tally;
    const reader = new CacheReader<Value>({ name, port, rules, values, tally, near, clock: context.clock });
    this.#name = name;
    this.#port = port;
    this.#rules = rules;
    this.#values = values;
    this.#lifetimes = lifetimes;
    this.#near = near;
    this.#reader = reader;
    this.#computing = new Computing<Value>({ name, port, rules, reader, values, lifetimes, tally }, context);
  }

  /**
   * The value of `key`, or undefined when absent or expired. With `stale: true` also one that outlived its lifetime by less
   * than the cache's `staleFor`.
   */
  get(key: string, options?: CacheGetOptions): Promise<Value | undefined> {
    return options === undefined ? this.#reader.get(key) : this.#getWith(key, options);
  }

  /**
   * The value of `key` that the near cache holds, at once and without the store; undefined where it holds none. It is
   * shared: treat it as read-only.
   */
  peek(key: string): Value | undefined {
    return this.#near?.get(key)?.value;
  }

  /** The values found, by key; absent keys are left out, and named in `missing`. One round trip. */
  getMany(keys: readonly string[]): Promise<FoundValues<Value>> {
    return this.#reader.getMany(keys);
  }

  /** Sets `key`, replacing value and lifetime. */
  async set(key: string, value: Value, options: CacheSetOptions = {}): Promise<void> {
    await this.#write(key, this.#values.encode(key, value), this.#lifetime(options));
  }

  /** Sets every entry with one lifetime, in one round trip; each is set atomically, the batch is not. */
  async setMany(entries: Iterable<readonly [string, Value]>, options: CacheSetOptions = {}): Promise<void> {
    const ttlMs = lifetimeOf(this.#name, options, this.#rules);
    const stored = Array.from(entries, ([key, value]) => [key, this.#values.encode(key, value)] as const);
    if (stored.length === 0) return;
    if (this.#rules.timed || this.#rules.jitter > 0) {
      await Promise.all(stored.map(([key, value]) => this.#write(key, value, this.#lifetimes.of(ttlMs))));
    } else await this.#port.setMany(this.#name, stored, ttlMs);
  }

  /**
   * Removes `key`; returns whether a value was there. A computation of `key` that is under way in another process will
   * not be stored.
   */
  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) === 1;
  }

  /** Removes the keys; returns how many values were there. */
  async deleteMany(keys: readonly string[]): Promise<number> {
    for (const key of keys) this.#forget(key);
    return keys.length === 0 ? 0 : this.#port.delete(this.#name, keys, this.#rules.announce);
  }

  /**
   * Ends the lifetime of `key` now, as `delete` does, but keeps the value as stale where the cache has `staleFor`: the next
   * `getOrSet` computes a new one, and falls back on this. Returns whether there was a value that had not ended.
   */
  async expire(key: string): Promise<boolean> {
    if (this.#rules.staleMs === 0) return this.delete(key);
    this.#forget(key);
    return (await this.#port.expire(this.#name, [key], this.#rules.staleMs, this.#rules.announce)) === 1;
  }

  /**
   * The value of `key`; when absent, what `compute` returns, stored for the lifetime. Over all processes one computes at
   * a time and the others wait for its result. Callers in this process share one result, so treat it as read-only. When
   * `compute` throws, its callers here get the error and one of the waiting processes tries. A result of undefined is
   * returned and, without `absentTtl`, not stored; nor is one that `set` or `delete` overtook.
   *
   * Where there is a stale value (`staleFor`) one process computes a new one, in the background, and everybody is given
   * the stale one: at once, or after `softTimeout`, or when `compute` fails, which is logged.
   *
   * While the store is away the value is computed here, for those who ask here, and not stored.
   */
  async getOrSet(key: string, compute: Compute<Value>, options: CacheSetOptions = {}): Promise<Value> {
    return this.#computing.getOrSet(key, compute, lifetimeOf(this.#name, options, this.#rules));
  }

  /**
   * Removes every entry of this cache, or those whose key begins with `prefix`, taken literally, or fits the pattern
   * `match`; returns how many. Looks through the whole keyspace in small steps that block nobody; entries set meanwhile may or may not be removed.
   */
  async clear(options: CacheClearOptions = {}): Promise<number> {
    const { prefix, match } = resolveClear(this.#name, options);
    this.#near?.forgetAll();
    let removed = 0;
    let cursor = '0';
    do {
      const step = await this.#port.clear(this.#name, prefix, match, cursor, this.#rules.announce);
      removed += step.removed;
      cursor = step.cursor;
    } while (cursor !== '0');
    return removed;
  }

  /** How often this object answered how. */
  stats(): CacheStats {
    return { ...this.#tally };
  }

  async #getWith(key: string, options: CacheGetOptions): Promise<Value | undefined> {
    return takesStale(this.#name, options) ? this.#reader.getStale(key) : this.#reader.get(key);
  }

  #write(key: string, value: Stored, ttlMs: number | undefined): Promise<void> {
    if (this.#rules.timed) {
      this.#near?.forget(key);
      return this.#port.replace(this.#name, key, { value, ttlMs, announce: this.#rules.announce });
    }
    return this.#port.set(this.#name, key, value, ttlMs);
  }

  #forget(key: string): void {
    this.#computing.forget(key);
    this.#near?.forget(key);
  }

  #lifetime(options: CacheSetOptions): number | undefined {
    return this.#lifetimes.of(lifetimeOf(this.#name, options, this.#rules));
  }
}
