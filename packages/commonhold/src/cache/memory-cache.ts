import type { Stored } from '../codec/stored.js';
import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore, storedBytes } from '../backend/memory/memory-store.js';
import type { Keys } from '../keys.js';
import {
  type CacheClaim,
  type CachePort,
  type CacheRead,
  type CacheWrite,
  entryFilter,
  entryTopic,
} from './cache-port.js';

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

  async read(cache: string, key: string): Promise<CacheRead | undefined> {
    const entry = this.#entry(cache, key);
    const value = this.#read(entry);
    return value === undefined ? undefined : { value, leftMs: finite(this.#leftMs(entry)) };
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

  async replace(cache: string, key: string, { value, ttlMs }: CacheWrite): Promise<void> {
    const entry = this.#entry(cache, key);
    this.#write(entry, value, ttlMs);
    this.#end(entry);
  }

  async delete(cache: string, keys: readonly string[]): Promise<number> {
    return keys.filter((key) => this.#remove(this.#entry(cache, key))).length;
  }

  async expire(cache: string, keys: readonly string[], staleMs: number): Promise<number> {
    return keys.filter((key) => this.#expire(this.#entry(cache, key), staleMs)).length;
  }

  async claim(
    cache: string,
    key: string,
    token: string,
    leaseMs: number,
    owner: string,
    freshMs: number,
  ): Promise<CacheClaim> {
    const entry = this.#entry(cache, key);
    const value = this.#leftMs(entry) >= freshMs ? this.#read(entry) : undefined;
    if (value !== undefined) return { state: 'value', value };
    const claim = this.#claims.get(entry);
    if (claim === undefined) {
      this.#claims.set(entry, { token, owners: new Set() }, claimBytes, this.#store.now() + leaseMs);
      return { state: 'compute' };
    }
    claim.owners.add(owner);
    return { state: 'wait', leaseMs: (this.#claims.expiresAtMs(entry) ?? 0) - this.#store.now() };
  }

  async fulfil(cache: string, key: string, token: string, write: CacheWrite, freshMs: number): Promise<boolean> {
    const entry = this.#entry(cache, key);
    if (!this.#holds(entry, token)) return false;
    if (this.#leftMs(entry) < freshMs) this.#write(entry, write.value, write.ttlMs);
    this.#end(entry);
    return true;
  }

  async abandon(cache: string, key: string, token: string): Promise<void> {
    const entry = this.#entry(cache, key);
    if (this.#holds(entry, token)) this.#end(entry);
  }

  async hold(cache: string, key: string, token: string, holdMs: number): Promise<void> {
    const entry = this.#entry(cache, key);
    if (!this.#holds(entry, token)) return;
    this.#end(entry);
    this.#claims.set(entry, { token, owners: new Set() }, claimBytes, this.#store.now() + holdMs);
  }

  async clear(cache: string, prefix: string, match: string | undefined): Promise<{ cursor: string; removed: number }> {
    const start = this.#keys.taggedPrefix('cache', cache, prefix);
    const fits = entryFilter(match);
    const found = [...this.#entries.keys()].filter((entry) => entry.startsWith(start) && fits(entry));
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

  /** Returns whether a value was there that was not stale yet. */
  #expire(entry: string, staleMs: number): boolean {
    this.#end(entry);
    if (this.#leftMs(entry) < staleMs) return false;
    if (staleMs <= 1) this.#entries.delete(entry);
    else this.#entries.expire(entry, this.#store.now() + staleMs - 1);
    return true;
  }

  /** How long the value still lives: Infinity without end, below zero when there is none. */
  #leftMs(entry: string): number {
    return (this.#entries.expiresAtMs(entry) ?? -Infinity) - this.#store.now();
  }

  #holds(entry: string, token: string): boolean {
    return this.#claims.get(entry)?.token === token;
  }

  #end(entry: string): void {
    const claim = this.#claims.get(entry);
    this.#claims.delete(entry);
    for (const owner of claim?.owners ?? []) this.#store.bus.publish(this.#keys.wake(owner), entryTopic(entry));
  }
}

function finite(ms: number): number | undefined {
  return ms === Infinity ? undefined : ms;
}
