import type { AwayPlace } from '../backend/resilient/away-place.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import { handOut } from '../backend/memory/memory-store.js';
import { sameBytes, type Stored } from '../codec/stored.js';
import { isCommonholdError, UnavailableError } from '../errors.js';
import type { Keys } from '../keys.js';
import type { NamedOperation, Operations } from '../operation.js';
import { AwayMapJournal } from './away-map-journal.js';
import { AwayMapReads, readsOf, shown } from './away-map-reads.js';
import {
  type MapEntryPort,
  type MapExpectation,
  type MapPort,
  type MapReplacement,
  type MapSpace,
  needsVersion,
} from './map-port.js';

type Entries = readonly (readonly [key: string, value: Stored])[];

/**
 * A map without its store: reads are answered from what this process knows, writes are noted and brought to the store when it is
 * back. What depends on all entries, or on a key that this process does not know, is refused.
 */
export class AwayMap implements AwayTwin<MapPort> {
  readonly answers: AwayTwin<MapPort>['answers'];
  readonly learns: NonNullable<AwayTwin<MapPort>['learns']>;
  readonly #reads: AwayMapReads;
  readonly #journal: AwayMapJournal;

  constructor(store: MapEntryPort, place: AwayPlace, keys: Keys) {
    this.#reads = new AwayMapReads(place, keys);
    this.#journal = new AwayMapJournal(store, place, this.#reads);
    this.learns = this.#reads.learns;
    this.answers = {
      ...readsOf((space, key) => this.#journal.current(space, key), place.clock),
      set: (space, _owner, entries, ttlMs, guard) =>
        guard === undefined ? this.#set(space, entries, ttlMs) : undefined,
      replace: (space, _owner, key, expected, value, ttlMs, guard) =>
        guard === undefined && value !== undefined ? this.#replace(space, key, expected, value, ttlMs) : undefined,
      delete: (space, _owner, all, guard) => (guard === undefined ? this.#delete(space, all) : undefined),
      touch: (space, key, ttlMs, guard) => (guard === undefined ? this.#touch(space, key, ttlMs) : undefined),
    };
  }

  /**
   * `store`, to which nothing goes that concerns an entry which is not there yet. Who writes one that is on its way waits for
   * that, so that its writes stay in order.
   */
  gate(store: MapEntryPort, operations: Operations<MapEntryPort>): MapEntryPort {
    const reading = <Answer>(name: keyof MapEntryPort, space: MapSpace, all: readonly string[], ask: Ask<Answer>) =>
      this.#journal.holds(space, all) ? Promise.reject<Answer>(notThere(operations[name])) : ask();
    const writing = <Answer>(name: keyof MapEntryPort, space: MapSpace, all: readonly string[], ask: Ask<Answer>) =>
      this.#journal.empty ? ask() : this.#journal.settled(space, all).then(() => reading(name, space, all, ask));
    return {
      get: (space, key, guard) => reading('get', space, [key], () => store.get(space, key, guard)),
      getEntry: (space, key, guard) => reading('getEntry', space, [key], () => store.getEntry(space, key, guard)),
      getMany: (space, all, guard) => reading('getMany', space, all, () => store.getMany(space, all, guard)),
      has: (space, key) => reading('has', space, [key], () => store.has(space, key)),
      set: (space, owner, entries, ...how) => {
        const all = entries.map(([key]) => key);
        return writing('set', space, all, () => store.set(space, owner, entries, ...how));
      },
      add: (space, owner, key, ...how) =>
        writing('add', space, [key], () => this.#certain(space, key, store.add(space, owner, key, ...how))),
      replace: (space, owner, key, expected, ...how) =>
        writing('replace', space, [key], async () => {
          const replace = (there: MapExpectation | undefined): Promise<MapReplacement> =>
            this.#certain(space, key, store.replace(space, owner, key, there, ...how));
          if (!needsVersion(space, expected)) return replace(expected);
          const found = await store.get(space, key, how[2]);
          return sameBytes(found?.value, expected?.value) ? replace(found) : { written: false, found };
        }),
      delete: (space, owner, all, guard) => writing('delete', space, all, () => store.delete(space, owner, all, guard)),
      touch: (space, key, ...how) => writing('touch', space, [key], () => store.touch(space, key, ...how)),
    };
  }

  /** The same for a port that knows all entries. */
  gateWhole(store: MapPort, operations: Operations<MapPort>): MapPort {
    const whole = <Answer>(name: keyof MapPort, space: MapSpace, ask: Ask<Answer>): Promise<Answer> =>
      this.#journal.empty || !this.#journal.holdsAnyOf(space) ? ask() : Promise.reject(notThere(operations[name]));
    return {
      ...this.gate(store, operations),
      count: (space) => whole('count', space, () => store.count(space)),
      clear: (space, owner, guard) => whole('clear', space, () => store.clear(space, owner, guard)),
      page: (space, cursor, limit) => whole('page', space, () => store.page(space, cursor, limit)),
    };
  }

  async #set(space: MapSpace, entries: Entries, ttlMs: number | undefined): Promise<void> {
    this.#journal.reserve(space, entries);
    const endsAtMs = this.#reads.endOf(ttlMs);
    for (const [key, value] of entries) this.#journal.note(space, key, { value: handOut(value), endsAtMs }, 'set');
  }

  #replace(
    space: MapSpace,
    key: string,
    expected: MapExpectation | undefined,
    value: Stored,
    ttlMs: number | undefined,
  ): Promise<MapReplacement> | undefined {
    const current = this.#journal.current(space, key);
    if (current === undefined) return undefined;
    const found = shown(current, this.#reads.clock);
    if (!sameBytes(found?.value, expected?.value)) return Promise.resolve({ written: false, found });
    return this.#written(space, key, value, ttlMs);
  }

  async #written(space: MapSpace, key: string, value: Stored, ttlMs: number | undefined): Promise<MapReplacement> {
    const endsAtMs = this.#reads.endOf(ttlMs);
    this.#journal.note(space, key, { value: handOut(value), endsAtMs }, 'update');
    return { written: true, version: undefined };
  }

  #delete(space: MapSpace, keys: readonly string[]): Promise<number> | undefined {
    const all = [...new Set(keys)];
    const found = all.map((key) => this.#journal.current(space, key));
    if (found.includes(undefined)) return undefined;
    return this.#deleted(
      space,
      all.filter((_, index) => found[index]?.record !== undefined),
    );
  }

  async #deleted(space: MapSpace, keys: readonly string[]): Promise<number> {
    this.#journal.reserve(
      space,
      keys.map((key) => [key]),
    );
    for (const key of keys) this.#journal.note(space, key, { value: undefined, endsAtMs: Infinity }, 'set');
    return keys.length;
  }

  #touch(space: MapSpace, key: string, ttlMs: number | undefined): Promise<boolean> | undefined {
    const current = this.#journal.current(space, key);
    return current && this.#touched(space, key, current.record?.value, ttlMs);
  }

  async #touched(space: MapSpace, key: string, value: Stored | undefined, ttlMs: number | undefined): Promise<boolean> {
    if (value !== undefined) this.#journal.note(space, key, { value, endsAtMs: this.#reads.endOf(ttlMs) }, 'touch');
    return value !== undefined;
  }

  // What may have run leaves nothing known to go on from.
  async #certain<Answer>(space: MapSpace, key: string, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (isCommonholdError(error) && error.code === 'OutcomeUnknown') this.#reads.forget(space, key);
      throw error;
    }
  }
}

type Ask<Answer> = () => Promise<Answer>;

function notThere({ name }: NamedOperation): UnavailableError {
  return new UnavailableError(name, 'what was written here while the store was away is not there yet');
}
