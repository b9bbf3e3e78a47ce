import type { Stored } from '../codec/stored.js';
import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore, storedBytes } from '../backend/memory/memory-store.js';
import type { Keys } from '../keys.js';
import {
  changesChannel,
  type CacheClaim,
  type CachePort,
  type CacheRead,
  type CacheWrite,
  entryFilter,
  entryTopic,
  markTopic,
  marksKey,
  mostMarks,
} from './cache-port.js';

interface Claim {
  readonly token: string;
  readonly owners: Set<string>;
}

const claimBytes = 200;
/** In place of the token of a computation that failed. */
const heldToken = '!';
const markBytes = 200;

/** The cache as one evicting table, with a table of claims beside it. */
export class MemoryCache implements CachePort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #entries: ExpiringTable<Stored>;
  readonly #claims: ExpiringTable<Claim>;
  readonly #marks: ExpiringTable<Map<string, number>>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#entries = store.table('cache', { evictable: true });
    this.#claims = store.table('cache-claim');
    this.#marks = store.table('cache-tags');
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

  async replace(cache: string, key: string, { value, ttlMs, announce }: CacheWrite): Promise<void> {
    const entry = this.#entry(cache, key);
    this.#write(entry, value, ttlMs);
    this.#end(entry);
    if (announce) this.#announce(cache, entry);
  }

  async delete(cache: string, keys: readonly string[], announce: boolean): Promise<number> {
    const entries = keys.map((key) => this.#entry(cache, key));
    return this.#removeAll(cache, entries, announce);
  }

  async expire(cache: string, keys: readonly string[], staleMs: number, announce: boolean): Promise<number> {
    const entries = keys.map((key) => this.#entry(cache, key));
    const expired = entries.filter((entry) => this.#expire(entry, staleMs)).length;
    if (announce) for (const entry of entries) this.#announce(cache, entry);
    return expired;
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
    const state = claim.token === heldToken ? 'held' : 'wait';
    return { state, leaseMs: (this.#claims.expiresAtMs(entry) ?? 0) - this.#store.now() };
  }

  async fulfil(cache: string, key: string, token: string, write: CacheWrite, freshMs: number): Promise<boolean> {
    const entry = this.#entry(cache, key);
    if (!this.#holds(entry, token)) return false;
    if (this.#leftMs(entry) < freshMs) this.#write(entry, write.value, write.ttlMs);
    this.#end(entry);
    if (write.announce) this.#announce(cache, entry);
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
    this.#claims.set(entry, { token: heldToken, owners: new Set() }, claimBytes, this.#store.now() + holdMs);
  }

  async marks(cache: string): Promise<readonly (readonly [tag: string, mark: number])[]> {
    const key = marksKey(this.#keys, cache);
    if (!this.#marks.has(key)) this.#setMarks(key, new Map([['', this.#store.now()]]));
    return [...(this.#marks.get(key) ?? [])];
  }

  async mark(cache: string, tags: readonly string[]): Promise<number> {
    const key = marksKey(this.#keys, cache);
    const marks = this.#marks.get(key) ?? new Map<string, number>();
    const before = ['', ...tags].map((tag) => (marks.get(tag) ?? 0) + 1);
    const mark = Math.max(this.#store.now(), ...before);
    const marked = new Map([
      ...(marks.has('') ? [] : [['', mark] as const]),
      ...tags.map((tag) => [tag, mark] as const),
    ]);
    const all = new Map([...marks, ...marked]);
    const crowded = all.size > mostMarks;
    this.#setMarks(key, crowded ? new Map([['', mark]]) : all);
    for (const tag of crowded ? [''] : tags) {
      this.#store.bus.publish(changesChannel(this.#keys, cache), markTopic(tag, mark));
    }
    return mark;
  }

  async clear(
    cache: string,
    prefix: string,
    match: string | undefined,
    _cursor: string,
    announce: boolean,
  ): Promise<{ cursor: string; removed: number }> {
    const start = this.#keys.taggedPrefix('cache', cache, prefix);
    const fits = entryFilter(match);
    const found = [...this.#entries.keys()].filter((entry) => entry.startsWith(start) && fits(entry));
    return { cursor: '0', removed: this.#removeAll(cache, found, announce) };
  }

  #setMarks(key: string, marks: Map<string, number>): void {
    this.#marks.set(key, marks, marks.size * markBytes);
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

  #removeAll(cache: string, entries: readonly string[], announce: boolean): number {
    let removed = 0;
    for (const entry of entries) {
      this.#end(entry);
      if (this.#entries.delete(entry)) removed++;
      if (announce) this.#announce(cache, entry);
    }
    return removed;
  }

  #announce(cache: string, entry: string): void {
    this.#store.bus.publish(changesChannel(this.#keys, cache), entryTopic(entry));
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
