import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore, storedBytes } from '../backend/memory/memory-store.js';
import { sameBytes, type Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import type { MapEntryPort, MapExpectation, MapRecord, MapReplacement, MapSpace } from './map-port.js';
import { valueOnly } from './plain-map-record.js';

/** The documented layout in memory: one table, by the keys that Redis would have. */
export class MemoryPlainMap implements MapEntryPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #entries: ExpiringTable<Stored>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#entries = store.table('plain-map');
  }

  async get(space: MapSpace, key: string): Promise<MapRecord | undefined> {
    return this.#find(this.#key(space, key));
  }

  async getEntry(space: MapSpace, key: string): Promise<MapRecord | undefined> {
    const name = this.#key(space, key);
    const record = this.#find(name);
    const ends = this.#entries.expiresAtMs(name);
    return record && { ...record, expiresAtMs: ends === Infinity ? undefined : ends };
  }

  async getMany(space: MapSpace, keys: readonly string[]): Promise<(MapRecord | undefined)[]> {
    return keys.map((key) => this.#find(this.#key(space, key)));
  }

  async has(space: MapSpace, key: string): Promise<boolean> {
    return this.#entries.has(this.#key(space, key));
  }

  async set(
    space: MapSpace,
    _owner: string,
    entries: readonly (readonly [key: string, value: Stored])[],
    ttlMs: number | undefined,
  ): Promise<void> {
    for (const [key, value] of entries) this.#write(this.#key(space, key), value, ttlMs);
  }

  async add(space: MapSpace, _owner: string, key: string, value: Stored, ttlMs: number | undefined): Promise<boolean> {
    const name = this.#key(space, key);
    if (this.#entries.has(name)) return false;
    this.#write(name, value, ttlMs);
    return true;
  }

  async replace(
    space: MapSpace,
    _owner: string,
    key: string,
    expected: MapExpectation | undefined,
    value: Stored | undefined,
    ttlMs: number | undefined,
  ): Promise<MapReplacement> {
    const name = this.#key(space, key);
    const found = this.#find(name);
    if (!sameBytes(found?.value, expected?.value)) return { written: false, found };
    if (value === undefined) this.#entries.delete(name);
    else this.#write(name, value, ttlMs);
    return { written: true, version: undefined };
  }

  async delete(space: MapSpace, _owner: string, keys: readonly string[]): Promise<number> {
    return keys.filter((key) => this.#entries.delete(this.#key(space, key))).length;
  }

  async touch(space: MapSpace, key: string, ttlMs: number | undefined): Promise<boolean> {
    return this.#entries.expire(this.#key(space, key), this.#endOf(ttlMs));
  }

  #key({ prefix = '' }: MapSpace, key: string): string {
    return this.#keys.documented(prefix, key);
  }

  #find(name: string): MapRecord | undefined {
    const value = this.#entries.get(name);
    return value === undefined ? undefined : valueOnly(handOut(value));
  }

  #write(name: string, value: Stored, ttlMs: number | undefined): void {
    this.#entries.set(name, handOut(value), storedBytes(value), this.#endOf(ttlMs));
  }

  #endOf(ttlMs: number | undefined): number {
    return ttlMs === undefined ? Infinity : this.#store.now() + ttlMs;
  }
}
