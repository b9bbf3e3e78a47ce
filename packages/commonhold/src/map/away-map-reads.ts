import type { AwayPlace } from '../backend/resilient/away-place.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, storedBytes } from '../backend/memory/memory-store.js';
import type { Clock } from '../clock.js';
import { sameBytes, type Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import { mapBase, type MapPort, type MapRecord, type MapReplacement, type MapSpace } from './map-port.js';

/** What is known of a key. */
export interface KnownRecord {
  /** Undefined for none. */
  readonly record: MapRecord | undefined;
  /** By the monotonic clock of this process; Infinity without end. */
  readonly endsAtMs: number;
}

/** The same, and when the store said so last. */
interface HeardRecord extends KnownRecord {
  /** By the monotonic clock of this process. */
  heardAtMs: number;
}

/**
 * Reads of a map without its store: what this process last read or wrote of each key, that a key was absent included. Kept as
 * far as the memory goes that all of a state has for such things.
 */
export class AwayMapReads implements AwayTwin<MapPort> {
  readonly answers: AwayTwin<MapPort>['answers'];
  readonly learns: NonNullable<AwayTwin<MapPort>['learns']>;
  readonly clock: Clock;
  readonly #keys: Keys;
  readonly #known: ExpiringTable<HeardRecord>;

  constructor({ clock, memory }: AwayPlace, keys: Keys) {
    this.clock = clock;
    this.#keys = keys;
    this.#known = memory.table('known of maps', { evictable: true });
    this.answers = readsOf((space, key) => this.confirmed(space, key), clock);
    this.learns = {
      get: (record, space, key) => this.learn(space, key, record),
      getEntry: (record, space, key) => this.learn(space, key, record),
      getMany: (records, space, all) => records.forEach((record, index) => this.learn(space, all[index] ?? '', record)),
      has: (there, space, key) => this.#learnWhether(space, key, there),
      set: (_, space, owner, entries, ttlMs) => {
        for (const [key, value] of entries) this.wrote(space, key, { owner, value, version: undefined }, ttlMs);
      },
      add: (added, space, owner, key, value, ttlMs) => {
        if (added) this.wrote(space, key, { owner, value, version: undefined }, ttlMs);
        else this.#learnWhether(space, key, true);
      },
      replace: (reply, space, owner, key, _expected, value, ttlMs) =>
        this.#learnReplacement(reply, space, key, owner, value, ttlMs),
      delete: (_, space, _owner, all) => all.forEach((key) => this.learn(space, key, undefined)),
      touch: (there, space, key, ttlMs) => this.touched(space, key, there, ttlMs),
      clear: (_, space) => this.#forgetAll(space),
      page: ({ entries }, space) => entries.forEach(([key, record]) => record && this.learn(space, key, record)),
    };
  }

  /** The name of an entry among those of all maps. */
  id(space: MapSpace, key: string): string {
    return `${this.#map(space)}\n${key}`;
  }

  /** What is known of `key`, however long ago; undefined for what is not. */
  known(space: MapSpace, key: string): KnownRecord | undefined {
    const known = this.#known.get(this.id(space, key));
    return known && this.#alive(known);
  }

  /** What is known of `key`, and was heard as lately as the map asks for. */
  confirmed(space: MapSpace, key: string): KnownRecord | undefined {
    const known = this.#known.get(this.id(space, key));
    if (known === undefined || this.clock.monotonic() - known.heardAtMs > (space.staleMs ?? Infinity)) return undefined;
    return this.#alive(known);
  }

  #alive(known: HeardRecord): KnownRecord {
    return known.endsAtMs >= this.clock.monotonic() ? known : { record: undefined, endsAtMs: Infinity };
  }

  /** Takes what the store said is there. */
  learn(space: MapSpace, key: string, record: MapRecord | undefined): void {
    const id = this.id(space, key);
    if (record === undefined) return this.#keep(id, { record: undefined, endsAtMs: Infinity });
    const { clock } = this;
    const before = this.#known.get(id);
    const same = before !== undefined && isSame(this.#alive(before).record, record, space) ? before : undefined;
    // What is known already needs no copy. In the documented layout not each read says when an entry ends.
    if (same !== undefined && (space.prefix === undefined || record.expiresAtMs === undefined)) {
      same.heardAtMs = clock.monotonic();
      return;
    }
    const { expiresAtMs } = record;
    const endsAtMs = expiresAtMs === undefined ? Infinity : clock.monotonic() + expiresAtMs - clock.now();
    this.#keep(id, { record: { ...record, value: handOut(record.value) }, endsAtMs });
  }

  /** Takes what this process wrote. */
  wrote(
    space: MapSpace,
    key: string,
    written: Pick<MapRecord, 'value' | 'version' | 'owner'>,
    ttlMs: number | undefined,
  ): void {
    const owner = space.prefix === undefined ? written.owner : undefined;
    const record = { ...written, owner, value: handOut(written.value), expiresAtMs: undefined };
    this.#keep(this.id(space, key), { record, endsAtMs: this.endOf(ttlMs) });
  }

  /** Takes whether an entry was touched. */
  touched(space: MapSpace, key: string, there: boolean, ttlMs: number | undefined): void {
    const id = this.id(space, key);
    const before = this.#known.get(id);
    const record = before && this.#alive(before).record;
    if (!there) this.learn(space, key, undefined);
    else if (before === undefined || record === undefined) this.forget(space, key);
    // Of its value this says nothing.
    else this.#keep(id, { record: { ...record, version: undefined }, endsAtMs: this.endOf(ttlMs) }, before.heardAtMs);
  }

  forget(space: MapSpace, key: string): void {
    this.#known.delete(this.id(space, key));
  }

  /** When a lifetime that begins now ends. */
  endOf(ttlMs: number | undefined): number {
    return ttlMs === undefined ? Infinity : this.clock.monotonic() + ttlMs;
  }

  #map({ prefix, name }: MapSpace): string {
    return prefix === undefined ? mapBase(this.#keys, name) : `plain\n${prefix}`;
  }

  #learnWhether(space: MapSpace, key: string, there: boolean): void {
    if (!there) this.learn(space, key, undefined);
    else if (this.known(space, key)?.record === undefined) this.forget(space, key);
  }

  #learnReplacement(
    reply: MapReplacement,
    space: MapSpace,
    key: string,
    owner: string,
    value: Stored | undefined,
    ttlMs: number | undefined,
  ): void {
    if (!reply.written) this.learn(space, key, reply.found);
    else if (value === undefined) this.learn(space, key, undefined);
    else this.wrote(space, key, { value, owner, version: reply.version }, ttlMs);
  }

  #forgetAll(space: MapSpace): void {
    const map = this.#map(space);
    for (const id of [...this.#known.keys()]) if (id.startsWith(`${map}\n`)) this.#known.delete(id);
  }

  // A call must not fail because what it said does not fit here.
  #keep(id: string, known: KnownRecord, heardAtMs: number = this.clock.monotonic()): void {
    try {
      this.#known.set(id, { ...known, heardAtMs }, known.record === undefined ? 0 : storedBytes(known.record.value));
    } catch {
      this.#known.delete(id);
    }
  }
}

/** Answers to reads, from what `find` finds. */
export function readsOf(
  find: (space: MapSpace, key: string) => KnownRecord | undefined,
  clock: Clock,
): Pick<AwayTwin<MapPort>['answers'], 'get' | 'getEntry' | 'getMany' | 'has'> {
  const one = (space: MapSpace, key: string, guard: unknown): Promise<MapRecord | undefined> | undefined => {
    const known = guard === undefined ? find(space, key) : undefined;
    return known && Promise.resolve(shown(known, clock));
  };
  return {
    get: one,
    getEntry: one,
    getMany: (space, all, guard) => {
      const found = all.map((key) => (guard === undefined ? find(space, key) : undefined));
      if (found.includes(undefined)) return undefined;
      return Promise.resolve(found.map((known) => known && shown(known, clock)));
    },
    has: (space, key) => {
      const known = find(space, key);
      return known && Promise.resolve(known.record !== undefined);
    },
  };
}

/** What is known as it is handed out. */
export function shown({ record, endsAtMs }: KnownRecord, clock: Clock): MapRecord | undefined {
  if (record === undefined) return undefined;
  const expiresAtMs = endsAtMs === Infinity ? undefined : Math.round(clock.now() + endsAtMs - clock.monotonic());
  return { ...record, value: handOut(record.value), expiresAtMs, stale: true };
}

function isSame(before: MapRecord | undefined, record: MapRecord, { prefix }: MapSpace): boolean {
  if (before === undefined) return false;
  if (prefix !== undefined) return sameBytes(before.value, record.value);
  return before.version !== undefined && before.version === record.version;
}
