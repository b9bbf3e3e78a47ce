import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { MemoryFences } from '../backend/memory/memory-fences.js';
import { handOut, type MemoryStore } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import type { Guard } from '../guard.js';
import type { Keys } from '../keys.js';
import type { NamedOperation } from '../operation.js';
import { MemoryMapChanges } from './memory-map-changes.js';
import { type MemoryEntry, MemoryMapState } from './memory-map-state.js';
import { mapOperations as operations } from './map-operations.js';
import {
  mapBase,
  type MapExpectation,
  type MapPage,
  type MapPort,
  type MapRecord,
  type MapReplacement,
  type MapSpace,
  nextVersion,
} from './map-port.js';

type Entries = readonly (readonly [key: string, value: Stored])[];

/** What one step says of the values it writes. */
interface Writing {
  readonly owner: string;
  readonly ttlMs: number | undefined;
}

/** Every map of a store: each is one entry of a table, whose life is that of its hash on Redis. */
export class MemoryMap implements MapPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #maps: ExpiringTable<MemoryMapState>;
  readonly #changes: MemoryMapChanges;
  readonly #fences: MemoryFences;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#maps = store.table('map');
    this.#changes = new MemoryMapChanges(store);
    this.#fences = new MemoryFences(store);
  }

  async get(space: MapSpace, key: string, guard?: Guard): Promise<MapRecord | undefined> {
    this.#pass(operations.get, space, guard);
    return this.#read(space, [key])[0];
  }

  async getEntry(space: MapSpace, key: string, guard?: Guard): Promise<MapRecord | undefined> {
    this.#pass(operations.getEntry, space, guard);
    return this.#read(space, [key])[0];
  }

  async getMany(space: MapSpace, keys: readonly string[], guard?: Guard): Promise<(MapRecord | undefined)[]> {
    this.#pass(operations.getMany, space, guard);
    return this.#read(space, keys);
  }

  async has(space: MapSpace, key: string): Promise<boolean> {
    return this.#read(space, [key])[0] !== undefined;
  }

  async set(space: MapSpace, owner: string, entries: Entries, ttlMs: number | undefined, guard?: Guard): Promise<void> {
    this.#pass(operations.set, space, guard);
    this.#purge(space);
    this.#write(space, entries, { owner, ttlMs });
  }

  async add(
    space: MapSpace,
    owner: string,
    key: string,
    value: Stored,
    ttlMs: number | undefined,
    guard?: Guard,
  ): Promise<boolean> {
    this.#pass(operations.add, space, guard);
    return (await this.replace(space, owner, key, undefined, value, ttlMs)).written;
  }

  async replace(
    space: MapSpace,
    owner: string,
    key: string,
    expected: MapExpectation | undefined,
    value: Stored | undefined,
    ttlMs: number | undefined,
    guard?: Guard,
  ): Promise<MapReplacement> {
    this.#pass(operations.replace, space, guard);
    this.#purge(space);
    const state = this.#find(space);
    const found = state?.alive(key, this.#store.now());
    if (found?.version !== expected?.version) return { written: false, found: found && recordOf(found) };
    if (value !== undefined) return { written: true, version: this.#write(space, [[key, value]], { owner, ttlMs }) };
    if (state !== undefined && found !== undefined) this.#remove(space, state, [key], owner);
    return { written: true, version: undefined };
  }

  async delete(space: MapSpace, owner: string, keys: readonly string[], guard?: Guard): Promise<number> {
    this.#pass(operations.delete, space, guard);
    this.#purge(space);
    const state = this.#find(space);
    if (state === undefined) return 0;
    const now = this.#store.now();
    const alive = new Set(keys.filter((key) => state.alive(key, now) !== undefined));
    this.#remove(space, state, keys, owner);
    return alive.size;
  }

  async touch(space: MapSpace, key: string, ttlMs: number | undefined, guard?: Guard): Promise<boolean> {
    this.#pass(operations.touch, space, guard);
    this.#purge(space);
    const held = this.#find(space)?.alive(key, this.#store.now());
    if (held !== undefined) this.#write(space, [[key, held.value]], { owner: held.owner, ttlMs });
    return held !== undefined;
  }

  async count(space: MapSpace): Promise<number> {
    this.#purge(space);
    return this.#find(space)?.count(this.#store.now()) ?? 0;
  }

  async clear(space: MapSpace, owner: string, guard?: Guard): Promise<number> {
    this.#pass(operations.clear, space, guard);
    const state = this.#find(space);
    if (state === undefined || state.size === 0) return 0;
    const now = this.#store.now();
    const cleared = new MemoryMapState();
    cleared.version = space.changes ? nextVersion(state.version, now) : state.version;
    cleared.keepAlive(now, now);
    this.#maps.set(this.#base(space), cleared, cleared.bytes, cleared.lifeEndsAtMs);
    if (space.changes) this.#changes.publish(this.#base(space), { version: cleared.version, owner });
    return state.count(now);
  }

  async page(space: MapSpace, cursor: string, limit: number): Promise<MapPage> {
    this.#purge(space);
    const nowMs = this.#store.now();
    const state = this.#find(space);
    const page = state?.page(cursor === '0' ? Infinity : Number(cursor), limit);
    const entries: [string, MapRecord][] = [];
    for (const [key, entry] of page?.entries ?? []) {
      if (nowMs <= entry.expiresAtMs) entries.push([key, recordOf(entry)]);
    }
    return { entries, cursor: String(page?.end ?? 0), version: state?.version ?? 0, nowMs };
  }

  #pass(operation: NamedOperation, space: MapSpace, guard: Guard | undefined): void {
    if (guard !== undefined) this.#fences.pass(operation, this.#base(space), guard);
  }

  #base(space: MapSpace): string {
    return mapBase(this.#keys, space.name);
  }

  #find(space: MapSpace): MemoryMapState | undefined {
    return this.#maps.get(this.#base(space));
  }

  #read(space: MapSpace, keys: readonly string[]): (MapRecord | undefined)[] {
    const state = this.#find(space);
    if (state === undefined) return keys.map(() => undefined);
    const now = this.#store.now();
    const found = keys.map((key) => state.alive(key, now));
    if (keys.some((key, index) => found[index] === undefined && state.held(key) !== undefined)) this.#purge(space);
    return found.map((entry) => entry && recordOf(entry));
  }

  /** Writes entries with one lifetime and one version, which it returns. */
  #write(space: MapSpace, entries: Entries, { owner, ttlMs }: Writing): number {
    const now = this.#store.now();
    const expiresAtMs = ttlMs === undefined ? Infinity : now + ttlMs;
    const state = this.#find(space) ?? new MemoryMapState();
    const growth = entries.reduce((sum, [key, value]) => sum + state.growth(key, value), 0);
    // What does not fit is refused here, before anything is written.
    this.#keep(space, state, state.bytes + growth);
    state.version = nextVersion(state.version, now);
    for (const [key, value] of entries) {
      state.set(key, { value: handOut(value), version: state.version, owner, expiresAtMs });
    }
    state.keepAlive(now, expiresAtMs);
    this.#keep(space, state, state.bytes);
    if (space.changes)
      this.#changes.publishSet(this.#base(space), { version: state.version, owner, expiresAtMs, entries });
    return state.version;
  }

  #remove(space: MapSpace, state: MemoryMapState, keys: readonly string[], owner: string): void {
    const removed = keys.filter((key) => state.delete(key));
    if (removed.length === 0) return;
    const now = this.#store.now();
    if (owner !== '') state.keepAlive(now, now);
    if (space.changes) state.version = nextVersion(state.version, now);
    this.#keep(space, state, state.bytes);
    const changes = removed.map((key) => ({ key }));
    if (space.changes) this.#changes.publish(this.#base(space), { version: state.version, owner, changes });
  }

  /** Removes what ended first, as nobody's doing. */
  #purge(space: MapSpace): void {
    const state = this.#find(space);
    const ended = state?.takeEnded(this.#store.now()) ?? [];
    if (state !== undefined) this.#remove(space, state, ended, '');
  }

  #keep(space: MapSpace, state: MemoryMapState, bytes: number): void {
    const now = this.#store.now();
    this.#maps.set(this.#base(space), state, bytes, Math.max(now, state.lifeEndsAtMs));
  }
}

function recordOf({ value, version, owner, expiresAtMs }: MemoryEntry): MapRecord {
  return { value: handOut(value), version, owner, expiresAtMs: expiresAtMs === Infinity ? undefined : expiresAtMs };
}
