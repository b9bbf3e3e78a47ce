import { unlessAborted } from '../abort.js';
import { allBatches } from '../all-batches.js';
import type { Stored } from '../codec/stored.js';
import { InvalidArgumentError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { checkOf, type SchemaOption } from '../schema.js';
import type { CacheListeners } from './cache-listeners.js';
import { CacheLifetimes } from './cache-lifetimes.js';
import {
  type CacheClearOptions,
  type CacheComputeOptions,
  type CacheGetOptions,
  type CacheOptions,
  type CacheRules,
  type CacheSetOptions,
  checkTags,
  resolveCacheOptions,
  resolveClear,
  resolveWrite,
  takesStale,
  type WriteRules,
} from './cache-options.js';
import type { CachePort } from './cache-port.js';
import { CacheReader, type FoundValues, isAway } from './cache-reader.js';
import { type CacheStats, startTally } from './cache-stats.js';
import { CacheValues } from './cache-values.js';
import type { Compute } from './compute-run.js';
import { Computing } from './computing.js';
import type { NearCache } from './near-cache.js';
import { labelled, type TagMarks } from './tag-marks.js';

/**
 * Values by key, for a time. Values are what JSON holds, and also Date, Map, Set, BigInt, bytes and typed arrays. A key is
 * any non-empty text. What comes back is a copy that the caller may change, but for
 * `near` caches.
 *
 * Without the store calls go on: reads find nothing, or what is near; removing is made good when it is back; `getOrSet`
 * computes. Where the option `away` is `'throw'`, and for `clear`, every method but `getOrSet` rejects with `Unavailable` when
 * the store certainly did nothing, and with `OutcomeUnknown` when a write may have happened; writing again is always safe.
 */
export class Cache<Value> {
  readonly #name: string;
  readonly #port: CachePort;
  readonly #rules: CacheRules;
  readonly #values: CacheValues<Value>;
  readonly #lifetimes: CacheLifetimes;
  readonly #tally = startTally();
  readonly #near: NearCache<Value> | undefined;
  readonly #marks: TagMarks | undefined;
  readonly #reader: CacheReader<Value>;
  readonly #computing: Computing<Value>;

  /** Use `state.cache(name, options)`. */
  constructor(
    name: string,
    { schema, ...options }: CacheOptions & SchemaOption<Value>,
    port: CachePort,
    context: FeatureContext,
    listeners: CacheListeners,
  ) {
    const rules = resolveCacheOptions(name, options, context.away.cache);
    const values = new CacheValues<Value>(name, context, checkOf(schema, `cache ${name}`));
    const lifetimes = new CacheLifetimes(rules, context.random);
    const near = rules.near && listeners.near<Value>(name, rules.near);
    const marks = rules.tagged ? listeners.marks(name, port) : undefined;
    const tally = this.#tally;
    const reader = new CacheReader<Value>({ name, port, rules, values, tally, near, marks, clock: context.clock });
    this.#name = name;
    this.#port = port;
    this.#rules = rules;
    this.#values = values;
    this.#lifetimes = lifetimes;
    this.#near = near;
    this.#marks = marks;
    this.#reader = reader;
    this.#computing = new Computing<Value>({ name, port, rules, reader, values, lifetimes, tally, marks }, context);
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
    const rules = resolveWrite(this.#name, options, this.#rules);
    const stored = this.#encode(key, value);
    if (rules.tags.length > 0) await this.#readyMarks();
    await this.#write(key, stored, rules);
  }

  /** Sets every entry with one lifetime, in one round trip; each is set atomically, the batch is not. */
  async setMany(entries: Iterable<readonly [string, Value]>, options: CacheSetOptions = {}): Promise<void> {
    const rules = resolveWrite(this.#name, options, this.#rules);
    const stored = Array.from(entries, ([key, value]) => [key, this.#encode(key, value)] as const);
    if (stored.length === 0) return;
    if (rules.tags.length > 0) await this.#readyMarks();
    if (this.#rules.timed || this.#rules.jitter > 0) {
      const writes = stored.map(([key, value]) => this.#write(key, value, rules));
      await allBatches('cache.setMany', writes);
    } else await this.#port.setMany(this.#name, stored, rules.ttlMs);
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
  getOrSet(key: string, compute: Compute<Value>, options?: CacheComputeOptions): Promise<Value> {
    if (options !== undefined) return this.#getOrSetWith(key, compute, options);
    // Without a step more than needed where the answer is here.
    const kept = this.#near && this.#reader.findNear(key, this.#rules.ttlMs);
    if (kept !== undefined) return Promise.resolve(kept.value as Value);
    return this.#computing.getOrSet(key, compute, { ttlMs: this.#rules.ttlMs, tags: [] });
  }

  /**
   * Makes every value that has one of these tags count as absent, however many there are, in every process: at once here, and
   * elsewhere as soon as they hear of it. What is being computed with one of them will not count either. The values stay in
   * the store until their lifetimes end. For caches with `tags: true`.
   */
  async clearTags(tags: readonly string[]): Promise<void> {
    checkTags(this.#name, tags);
    const marks = this.#marks;
    if (marks === undefined) {
      throw new InvalidArgumentError(`cache ${this.#name}, clearTags`, 'a cache opened with tags: true', tags);
    }
    if (tags.length === 0) return;
    this.#near?.forgetAll();
    const mark = await this.#port.mark(this.#name, tags);
    for (const tag of tags) marks.raise(tag, mark);
    this.#near?.forgetAll();
  }

  /**
   * Removes every entry of this cache, or those whose key begins with `prefix`, taken literally, or fits the pattern
   * `match`; returns how many. Looks through the whole keyspace in small steps that block nobody; entries set meanwhile may
   * or may not be removed.
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

  #write(key: string, stored: Stored, rules: WriteRules): Promise<void> {
    const ttlMs = this.#lifetimes.of(rules.ttlMs);
    if (!this.#rules.timed) return this.#port.set(this.#name, key, stored, ttlMs);
    this.#near?.forget(key);
    const value = labelled(this.#marks?.label(rules.tags) ?? '', stored);
    return this.#port.replace(this.#name, key, { value, ttlMs, announce: this.#rules.announce });
  }

  // A label that was made without knowing the marks may count as cleared, and never as what was cleared.
  async #readyMarks(): Promise<void> {
    try {
      await this.#marks?.ready();
    } catch (error) {
      if (!this.#rules.open || !isAway(error)) throw error;
    }
  }

  #encode(key: string, value: Value): Stored {
    return this.#values.encode(key, this.#values.checked(key, value));
  }

  #forget(key: string): void {
    this.#computing.forget(key);
    this.#near?.forget(key);
  }

  async #getOrSetWith(
    key: string,
    compute: Compute<Value>,
    { signal, ...options }: CacheComputeOptions,
  ): Promise<Value> {
    signal?.throwIfAborted();
    const made = this.#computing.getOrSet(key, compute, resolveWrite(this.#name, options, this.#rules));
    return unlessAborted(made, signal);
  }
}
