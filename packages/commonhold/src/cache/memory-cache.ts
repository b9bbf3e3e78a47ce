import type { Stored } from '../codec/stored.js';
import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore, storedBytes } from '../backend/memory/memory-store.js';
import type { Keys } from '../keys.js';
import { type CacheClaim, type CachePort, entryTopic } from './cache-port.js';

interface Claim {
  readonly token: string;
  readonly owners: Set<string>;
}

const claimBytes = 200;

/** The cache as one evicting table, with a table of claims beside it. */
export class MemoryCache implements CachePort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #entries: ExpiringTable<Stored>;
  readonly #claims: ExpiringTable<Claim>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#entries = store.table('cache', { evictable: true });
    this.#claims = store.table('cache-claim');
  }

  async get(cache: string, key: string): Promise<Stored | undefined> {
    return this.#read(this.#entry(cache, key));
  }

  async getMany(cache: string, keys: readonly string[]): Promise<(Stored | undefined)[]> {
    return keys.map((key) => this.#read(this.#entry(cache, key)));
  }

  async set(cache: string, key: string, value: Stored, ttlMs: number | undefined): Promise<void> {
    this.#write(this.#entry(cache, key), value, ttlMs);
  }

  async setMany(
    cache: string,
    entries: readonly (readonly [string, Stored])[],
    ttlMs: number | undefined,
  ): Promise<void> {
    for (const [key, value] of entries) this.#write(this.#entry(cache, key), value, ttlMs);
  }

  async delete(cache: string, keys: readonly string[]): Promise<number> {
    return keys.filter((key) => this.#remove(this.#entry(cache, key))).length;
  }

  async claim(cache: string, key: string, token: string, leaseMs: number, owner: string): Promise<CacheClaim> {
    const entry = this.#entry(cache, key);
    const value = this.#read(entry);
    if (value !== undefined) return { state: 'value', value };
    const claim = this.#claims.get(entry);
    if (claim === undefined) {
      this.#claims.set(entry, { token, owners: new Set() }, claimBytes, this.#store.now() + leaseMs);
      return { state: 'compute' };
    }
    claim.owners.add(owner);
    return { state: 'wait', leaseMs: (this.#claims.expiresAtMs(entry) ?? 0) - this.#store.now() };
  }

  async fulfil(cache: string, key: string, token: string, value: Stored, ttlMs: number | undefined): Promise<boolean> {
    if (!this.#release(cache, key, token)) return false;
    const entry = this.#entry(cache, key);
    if (!this.#entries.has(entry)) this.#write(entry, value, ttlMs);
    return true;
  }

  async abandon(cache: string, key: string, token: string): Promise<void> {
    this.#release(cache, key, token);
  }

  async clear(cache: string, prefix: string): Promise<{ cursor: string; removed: number }> {
    const start = this.#keys.taggedPrefix('cache', cache, prefix);
    const found = [...this.#entries.keys()].filter((entry) => entry.startsWith(start));
    for (const entry of found) this.#remove(entry);
    return { cursor: '0', removed: found.length };
  }

  #entry(cache: string, key: string): string {
    return this.#keys.tagged('cache', cache, key);
  }

  #read(entry: string): Stored | undefined {
    const stored = this.#entries.get(entry);
    return stored === undefined ? undefined : handOut(stored);
  }

  #write(entry: string, value: Stored, ttlMs: number | undefined): void {
    this.#entries.set(entry, value, storedBytes(value), ttlMs === undefined ? Infinity : this.#store.now() + ttlMs);
  }

  #remove(entry: string): boolean {
    this.#end(entry);
    return this.#entries.delete(entry);
  }

  #release(cache: string, key: string, token: string): boolean {
    const entry = this.#entry(cache, key);
    if (this.#claims.get(entry)?.token !== token) return false;
    this.#end(entry);
    return true;
  }

  #end(entry: string): void {
    const claim = this.#claims.get(entry);
    this.#claims.delete(entry);
    for (const owner of claim?.owners ?? []) this.#store.bus.publish(this.#keys.wake(owner), entryTopic(entry));
  }
}
