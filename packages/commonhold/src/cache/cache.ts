import { type Duration, durationMs, durationMsOrForever } from '../duration.js';
import type { Stored } from '../codec/stored.js';
import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { type CachePort, claimTopic } from './cache-port.js';

/** Options of `state.cache`. */
export interface CacheOptions {
  /** How long a value lives when `set` does not say. Default one hour; `Infinity` for no end. */
  readonly ttl?: Duration;
  /**
   * How long one process may take to compute a missing value before another may begin. Default 10 s. A computation that
   * takes longer is not stopped; it may then be done twice.
   */
  readonly computeLease?: Duration;
}

/** Options of one write. */
export interface CacheSetOptions {
  /** How long this value lives; the cache's own `ttl` by default, `Infinity` for no end. */
  readonly ttl?: Duration;
}

const optionNames = { ttl: true, computeLease: true } satisfies OptionNames<CacheOptions>;
const setOptionNames = { ttl: true } satisfies OptionNames<CacheSetOptions>;

/**
 * Values by key, for a time. Values are what JSON holds, and also Date, Map, Set, BigInt, bytes and typed arrays. A key is
 * any non-empty text. What comes back is a copy that the caller may change.
 *
 * Every method rejects with `Unavailable` when the store certainly did nothing, and with `OutcomeUnknown` when a write
 * may have happened; writing again is always safe.
 */
export class Cache<Value> {
  readonly #name: string;
  readonly #port: CachePort;
  readonly #context: FeatureContext;
  readonly #ttlMs: number | undefined;
  readonly #leaseMs: number;
  readonly #computing = new Map<string, Promise<Value>>();
  readonly #decode: (stored: Stored | undefined) => Value | undefined | Promise<Value | undefined>;

  /** Use `state.cache(name, options)`. */
  constructor(name: string, options: CacheOptions, port: CachePort, context: FeatureContext) {
    this.#name = name;
    this.#port = port;
    this.#context = context;
    checkOptionNames(`cache ${name}`, options, optionNames);
    this.#ttlMs = durationMsOrForever(options.ttl ?? '1h', 'cache ttl');
    this.#leaseMs = durationMs(options.computeLease ?? '10s', 'cache computeLease');
    this.#decode = (stored) => (stored === undefined ? undefined : this.#readable(stored));
  }

  /** The value of `key`, or undefined when absent or expired. */
  get(key: string): Promise<Value | undefined> {
    return this.#port.get(this.#name, key).then(this.#decode);
  }

  /** The values found, by key; absent keys are left out. One round trip. */
  async getMany(keys: readonly string[]): Promise<Map<string, Value>> {
    const stored = keys.length === 0 ? [] : await this.#port.getMany(this.#name, keys);
    const values = await Promise.all(stored.map(async (value) => this.#decode(value)));
    const found = new Map<string, Value>();
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }

  /** Sets `key`, replacing value and lifetime. */
  async set(key: string, value: Value, options: CacheSetOptions = {}): Promise<void> {
    await this.#port.set(this.#name, key, this.#encode(key, value), this.#lifetime(options));
  }

  /** Sets every entry with one lifetime, in one round trip; each is set atomically, the batch is not. */
  async setMany(entries: Iterable<readonly [string, Value]>, options: CacheSetOptions = {}): Promise<void> {
    const ttlMs = this.#lifetime(options);
    const stored = Array.from(entries, ([key, value]) => [key, this.#encode(key, value)] as const);
    if (stored.length > 0) await this.#port.setMany(this.#name, stored, ttlMs);
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
    for (const key of keys) this.#computing.delete(key);
    return keys.length === 0 ? 0 : this.#port.delete(this.#name, keys);
  }

  /**
   * The value of `key`; when absent, what `compute` returns, stored for the lifetime. Over all processes one computes at
   * a time and the others wait for its result. Callers in this process share one result, so treat it as read-only. When
   * `compute` throws, its callers here get the error and one of the waiting processes tries. A result of undefined is
   * returned and not stored; nor is one that `set` or `delete` overtook.
   */
  async getOrSet(key: string, compute: () => Value | Promise<Value>, options: CacheSetOptions = {}): Promise<Value> {
    const running = this.#computing.get(key);
    if (running !== undefined) return running;
    const ttlMs = this.#lifetime(options);
    const result = this.#getOrCompute(key, compute, ttlMs).finally(() => {
      if (this.#computing.get(key) === result) this.#computing.delete(key);
    });
    this.#computing.set(key, result);
    return result;
  }

  /**
   * Removes every entry of this cache, or those whose key begins with `prefix`, taken literally; returns how many. Looks
   * through the whole keyspace in small steps that block nobody; entries set meanwhile may or may not be removed.
   */
  async clear(options: { readonly prefix?: string } = {}): Promise<number> {
    let removed = 0;
    let cursor = '0';
    do {
      const step = await this.#port.clear(this.#name, options.prefix ?? '', cursor);
      removed += step.removed;
      cursor = step.cursor;
    } while (cursor !== '0');
    return removed;
  }

  async #getOrCompute(key: string, compute: () => Value | Promise<Value>, ttlMs: number | undefined): Promise<Value> {
    const present = await this.get(key);
    if (present !== undefined) return present;
    const { wakes, random, owner } = this.#context;
    const token = random.bytes(12).toString('base64url');
    const waiter = wakes.listen(claimTopic(this.#name, key));
    try {
      for (;;) {
        const claim = await this.#port.claim(this.#name, key, token, this.#leaseMs, owner.id);
        if (claim.state === 'compute') return await this.#compute(key, token, compute, ttlMs);
        if (claim.state === 'wait') await waiter.wait(claim.leaseMs);
        else {
          const value = await this.#decode(claim.value);
          if (value !== undefined) return value;
          await this.#port.delete(this.#name, [key]);
        }
      }
    } finally {
      waiter.close();
    }
  }

  async #compute(
    key: string,
    token: string,
    compute: () => Value | Promise<Value>,
    ttlMs: number | undefined,
  ): Promise<Value> {
    let value: Value;
    let stored: Stored | undefined;
    try {
      value = await compute();
      stored = value === undefined ? undefined : this.#encode(key, value);
    } catch (error) {
      await this.#release(this.#port.abandon(this.#name, key, token));
      throw error;
    }
    if (stored === undefined) await this.#release(this.#port.abandon(this.#name, key, token));
    else await this.#release(this.#port.fulfil(this.#name, key, token, stored, ttlMs));
    return value;
  }

  // The value is right whether or not it could be stored, and a claim ends by itself with its lease.
  async #release(release: Promise<unknown>): Promise<void> {
    try {
      await release;
    } catch (error) {
      this.#context.log.warn({ cache: this.#name, error: String(error) }, 'a computed value was not cached');
    }
  }

  // What another program or a newer version wrote is as good as absent to a cache; it is said, not hidden.
  #readable(stored: Stored): Value | undefined | Promise<Value | undefined> {
    const missed = (error: unknown): undefined => {
      if (!isCommonholdError(error)) throw error;
      this.#context.log.warn({ cache: this.#name, code: error.code }, 'an unreadable cache entry counts as absent');
    };
    try {
      const value = this.#context.codec.decode(stored, `A value of cache ${this.#name}`);
      return value instanceof Promise ? (value as Promise<Value>).catch(missed) : (value as Value);
    } catch (error) {
      return missed(error);
    }
  }

  #encode(key: string, value: Value): Stored {
    if (value === undefined) throw new InvalidArgumentError(`cache ${this.#name}, key ${key}`, 'a value', value);
    return this.#context.codec.encode(value, `A value of cache ${this.#name}`);
  }

  #lifetime(options: CacheSetOptions): number | undefined {
    checkOptionNames(`cache ${this.#name}, write`, options, setOptionNames);
    return options.ttl === undefined ? this.#ttlMs : durationMsOrForever(options.ttl, 'cache ttl');
  }
}
