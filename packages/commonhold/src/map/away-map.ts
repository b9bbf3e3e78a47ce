import type { AwayPlace } from '../backend/resilient/away-place.js';
import { type AwayTwin, isAway, notThere } from '../backend/resilient/resilient-port.js';
import { handOut } from '../backend/memory/memory-store.js';
import { sameBytes, type Stored } from '../codec/stored.js';
import { isCommonholdError } from '../errors.js';
import type { Keys } from '../keys.js';
import type { Operations } from '../operation.js';
import { AwayMapJournal, type Wanted } from './away-map-journal.js';
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
      set: (space, _owner, entries, ttlMs, guard) => {
        const number = this.#numberOf(space, keysOf(entries));
        return guard === undefined ? this.#set(space, entries, ttlMs, number) : undefined;
      },
      replace: (space, _owner, key, expected, value, ttlMs, guard) => {
        const number = this.#numberOf(space, [key]);
        if (guard !== undefined || value === undefined) return undefined;
        return this.#replace(space, key, expected, { value, endsAtMs: this.#reads.endOf(ttlMs) }, number);
      },
      delete: (space, _owner, all, guard) => {
        const number = this.#numberOf(space, all);
        return guard === undefined ? this.#delete(space, all, number) : undefined;
      },
      touch: (space, key, ttlMs, guard) => {
        const number = this.#numberOf(space, [key]);
        return guard === undefined ? this.#touch(space, key, ttlMs, number) : undefined;
      },
    };
  }

  /**
   * `store`, to which nothing goes that concerns an entry which is not there yet. Who writes one that is on its way waits for
   * that, so that its writes stay in order.
   */
  gate(store: MapEntryPort, operations: Operations<MapEntryPort>): MapEntryPort {
    const reading = <Answer>(name: keyof MapEntryPort, space: MapSpace, all: readonly string[], ask: Ask<Answer>) =>
      this.#journal.holds(space, all) ? Promise.reject<Answer>(notThere(operations[name])) : ask();
    const { order } = this.#journal;
    const writing = async <Answer>(
      name: keyof MapEntryPort,
      space: MapSpace,
      all: readonly string[],
      ask: Ask<Answer>,
      done: (answer: Answer, number: number) => void = (_, number) => this.#journal.overtaken(space, all, number),
    ): Promise<Answer> => {
      if (!this.#journal.empty) await this.#journal.settled(space, all);
      const number = order.begin();
      try {
        const answer = await reading(name, space, all, ask);
        done(answer, number);
        return answer;
      } catch (error) {
        const noted = operations[name].away === 'journal' && isAway(error, operations[name]);
        if (noted) order.failed(this.#ids(space, all), number);
        throw error;
      } finally {
        order.end(number);
      }
    };
    return {
      get: (space, key, guard) => reading('get', space, [key], () => store.get(space, key, guard)),
      getEntry: (space, key, guard) => reading('getEntry', space, [key], () => store.getEntry(space, key, guard)),
      getMany: (space, all, guard) => reading('getMany', space, all, () => store.getMany(space, all, guard)),
      has: (space, key) => reading('has', space, [key], () => store.has(space, key)),
      set: (space, owner, entries, ...how) =>
        writing('set', space, keysOf(entries), () => store.set(space, owner, entries, ...how)),
      add: (space, owner, key, ...how) => {
        const add = (): Promise<boolean> => this.#certain(space, key, store.add(space, owner, key, ...how));
        return writing(
          'add',
          space,
          [key],
          add,
          (added, number) => added && this.#journal.overtaken(space, [key], number),
        );
      },
      replace: (space, owner, key, expected, ...how) => {
        const replace = (there: MapExpectation | undefined): Promise<MapReplacement> =>
          this.#certain(space, key, store.replace(space, owner, key, there, ...how));
        const compare = async (): Promise<MapReplacement> => {
          if (!needsVersion(space, expected)) return replace(expected);
          const found = await store.get(space, key, how[2]);
          return sameBytes(found?.value, expected?.value) ? replace(found) : { written: false, found };
        };
        return writing(
          'replace',
          space,
          [key],
          compare,
          ({ written }, n) => written && this.#journal.overtaken(space, [key], n),
        );
      },
      delete: (space, owner, all, guard) => writing('delete', space, all, () => store.delete(space, owner, all, guard)),
      touch: (space, key, ttlMs, guard) => {
        const touch = (): Promise<boolean> => store.touch(space, key, ttlMs, guard);
        const endsAtMs = this.#reads.endOf(ttlMs);
        return writing(
          'touch',
          space,
          [key],
          touch,
          (there, n) => there && this.#journal.retimed(space, key, n, endsAtMs),
        );
      },
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

  #ids(space: MapSpace, keys: readonly string[]): string[] {
    return keys.map((key) => this.#reads.id(space, key));
  }

  #numberOf(space: MapSpace, keys: readonly string[]): number {
    return this.#journal.order.takeFailed(this.#ids(space, keys));
  }

  async #set(space: MapSpace, entries: Entries, ttlMs: number | undefined, number: number): Promise<void> {
    this.#journal.reserve(space, entries);
    const endsAtMs = this.#reads.endOf(ttlMs);
    for (const [key, value] of entries) {
      this.#journal.note(space, key, { value: handOut(value), endsAtMs }, 'set', number);
    }
  }

  #replace(
    space: MapSpace,
    key: string,
    expected: MapExpectation | undefined,
    wanted: Wanted,
    number: number,
  ): Promise<MapReplacement> | undefined {
    const current = this.#journal.current(space, key);
    if (current === undefined) return undefined;
    const found = shown(current, this.#reads.clock);
    if (!sameBytes(found?.value, expected?.value)) return Promise.resolve({ written: false, found });
    return this.#written(space, key, wanted, number);
  }

  async #written(space: MapSpace, key: string, { value, endsAtMs }: Wanted, number: number): Promise<MapReplacement> {
    this.#journal.note(space, key, { value: value && handOut(value), endsAtMs }, 'update', number);
    return { written: true, version: undefined };
  }

  #delete(space: MapSpace, keys: readonly string[], number: number): Promise<number> | undefined {
    const all = [...new Set(keys)];
    const found = all.map((key) => this.#journal.current(space, key));
    if (found.includes(undefined)) return undefined;
    const there = all.filter((_, index) => found[index]?.record !== undefined);
    return this.#deleted(space, there, number);
  }

  async #deleted(space: MapSpace, keys: readonly string[], number: number): Promise<number> {
    this.#journal.reserve(
      space,
      keys.map((key) => [key]),
    );
    for (const key of keys) this.#journal.note(space, key, { value: undefined, endsAtMs: Infinity }, 'set', number);
    return keys.length;
  }

  #touch(space: MapSpace, key: string, ttlMs: number | undefined, number: number): Promise<boolean> | undefined {
    const current = this.#journal.current(space, key);
    const wanted = { value: current?.record?.value, endsAtMs: this.#reads.endOf(ttlMs) };
    return current && this.#touched(space, key, wanted, number);
  }

  async #touched(space: MapSpace, key: string, wanted: Wanted, number: number): Promise<boolean> {
    const there = wanted.value !== undefined;
    if (there) this.#journal.note(space, key, wanted, 'touch', number);
    return there;
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

function keysOf(entries: Entries): string[] {
  return entries.map(([key]) => key);
}
