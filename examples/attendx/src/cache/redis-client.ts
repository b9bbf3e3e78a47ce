import { InvalidArgumentError, type Log, type SharedMap, type SharedState } from 'commonhold';
import { compileGlob } from 'commonhold/glob';
import { isStoreFailure } from './store-failure.js';

/** What a key lives when nobody says: cached data always expire. */
const standardExpireSeconds = 3_600;
const entriesPerPage = 500;
const withoutRedis = 'Running without Redis caching';

/**
 * The cache utility under the names that it always had. Values are anything JSON holds, and bytes and typed arrays. In memory
 * it serves this process; on Redis all of them.
 *
 * While Redis is configured and away, every operation gives null or false at once, nothing is thrown, and the log says
 * `Running without Redis caching` once, and once that it is back. What is wrong with an argument is still thrown.
 */
export class RedisClient {
  readonly #state: SharedState;
  readonly #values: SharedMap<unknown>;
  readonly #log: Log;
  #away = false;

  /** Use `openCacheUtility`. */
  constructor(state: SharedState, log: Log) {
    this.#state = state;
    this.#log = log;
    // Callers are promised `null` and `false` while Redis is away.
    this.#values = state.map<unknown>('temporary', { ttl: standardExpireSeconds * 1_000, away: 'throw' });
    if (state.status().kind === 'memory') log.info({ reason: 'none is configured' }, withoutRedis);
  }

  /** Whether there is a Redis, and it answers. */
  get isConnected(): boolean {
    const { kind, connected } = this.#state.status();
    return kind === 'redis' && connected;
  }

  /** The node-redis client itself, for what has no name here; undefined in memory. */
  get client(): unknown {
    return this.#state.rawClient;
  }

  /** The value of `key`; null when there is none. */
  async get(key: string): Promise<unknown> {
    return this.#attempt(async () => (await this.#values.get(key)) ?? null);
  }

  /** Sets `key` for so long, a fraction being fine; true when done. */
  async set(key: string, value: unknown, expireSeconds: number = standardExpireSeconds): Promise<boolean> {
    return this.#did(() => this.#values.set(key, value, lifetime(expireSeconds)));
  }

  /** Removes `key`; true when it was there. */
  async delete(key: string): Promise<boolean> {
    return (await this.#attempt(() => this.#values.delete(key))) ?? false;
  }

  async exists(key: string): Promise<boolean> {
    return (await this.#attempt(() => this.#values.has(key))) ?? false;
  }

  /**
   * Adds to a whole number and returns the sum; an absent one counts as 0, and lives an hour. No add of any process is lost.
   * How long the key lives stays as it is, as far as the clocks of this machine and of Redis agree. Null when the value is
   * something else.
   */
  async incr(key: string, amount: number = 1): Promise<number | null> {
    if (!Number.isSafeInteger(amount)) throw new InvalidArgumentError('incr, amount', 'a whole number', amount);
    let sum: number | null = null;
    const add = (value: unknown = 0): unknown => {
      const added = typeof value === 'number' ? value + amount : Number.NaN;
      sum = Number.isSafeInteger(added) ? added : null;
      return sum ?? undefined;
    };
    const written = await this.#attempt(async () => {
      const endsAtMs = (await this.#values.getEntry(key))?.expiresAtMs;
      const keep = endsAtMs === undefined ? {} : { ttl: Math.max(1, endsAtMs - Date.now()) };
      return this.#values.update(key, add, keep);
    });
    return written === null ? null : sum;
  }

  /** Lets `key` live so long from now on; true when it was there. */
  async expire(key: string, seconds: number): Promise<boolean> {
    return (await this.#attempt(() => this.#values.touch(key, seconds * 1_000))) ?? false;
  }

  /** Seconds that `key` still lives, rounded up; null when there is none. */
  async getTtl(key: string): Promise<number | null> {
    const entry = await this.#attempt(() => this.#values.getEntry(key));
    const expiresAtMs = entry?.expiresAtMs;
    return expiresAtMs === undefined ? null : Math.max(0, Math.ceil((expiresAtMs - Date.now()) / 1_000));
  }

  /** The values found, by key, in one trip. */
  async getMany(keys: readonly string[]): Promise<Map<string, unknown> | null> {
    return this.#attempt(() => this.#values.getMany(keys));
  }

  /** Sets all of these for so long; true when done. */
  async setMany(
    mapping: Readonly<Record<string, unknown>>,
    expireSeconds: number = standardExpireSeconds,
  ): Promise<boolean> {
    const entries = Object.entries(mapping);
    return this.#did(() => this.#values.setMany(entries, lifetime(expireSeconds)));
  }

  /** Removes the keys that fit a pattern such as `user:*` and returns how many. Keys set meanwhile may stay. */
  async clearPattern(pattern: string): Promise<number | null> {
    return this.#attempt(() => (pattern === '*' ? this.#values.clear() : this.#clear(compileGlob(pattern))));
  }

  /** Keys that live. */
  async count(): Promise<number | null> {
    return this.#attempt(() => this.#values.count());
  }

  async #clear(fits: (key: string) => boolean): Promise<number> {
    let removed = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#values.page({ limit: entriesPerPage, ...(cursor === undefined ? {} : { cursor }) });
      const keys = page.entries.map(({ key }) => key).filter(fits);
      if (keys.length > 0) removed += await this.#values.deleteMany(keys);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return removed;
  }

  /** Whether it was done; false while Redis is away. */
  async #did(work: () => Promise<void>): Promise<boolean> {
    const write = async (): Promise<true> => {
      await work();
      return true;
    };
    return (await this.#attempt(write)) ?? false;
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result | null> {
    const status = this.#state.status();
    if (!status.connected) return this.#goWithout(status.reason);
    try {
      const result = await work();
      if (this.#away) this.#log.info({}, 'Running with Redis caching again');
      this.#away = false;
      return result;
    } catch (error) {
      if (isStoreFailure(error)) return this.#goWithout(String(error));
      throw error;
    }
  }

  #goWithout(reason: string): null {
    if (!this.#away) this.#log.warn({ reason }, withoutRedis);
    this.#away = true;
    return null;
  }
}

function lifetime(expireSeconds: number): { readonly ttl: number } {
  return { ttl: expireSeconds * 1_000 };
}
