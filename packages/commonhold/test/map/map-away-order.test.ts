import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import type { JournalConflict } from '../../src/backend/backend.js';
import { Journal } from '../../src/backend/resilient/journal.js';
import { JournalScope } from '../../src/backend/resilient/journal-scope.js';
import { resilientPort } from '../../src/backend/resilient/resilient-port.js';
import { OutcomeUnknownError, UnavailableError } from '../../src/errors.js';
import { createKeys } from '../../src/keys.js';
import { AwayMap } from '../../src/map/away-map.js';
import { mapOperations, plainMapOperations } from '../../src/map/map-operations.js';
import type { MapEntryPort, MapPort, MapSpace } from '../../src/map/map-port.js';
import { MemoryMap } from '../../src/map/memory-map.js';
import { MemoryPlainMap } from '../../src/map/memory-plain-map.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { eventLoopTurn } from '../../src/testing/waiting.js';

/** An answer on its way. */
interface HeldAnswer {
  arrive(): void;
  /** Has the deadline of the call pass. */
  lose(): void;
}

/** A map over a store that a test takes away, and whose answers it holds back. */
class Site {
  readonly clock = createManualClock();
  readonly memory = createMemoryStore({ clock: this.clock });
  readonly journal = new Journal('o');
  readonly conflicts: JournalConflict[] = [];
  readonly space: MapSpace;
  /** As other processes see it. */
  readonly store: MapEntryPort;
  readonly twin: AwayMap;
  readonly port: MapEntryPort;
  away = false;
  readonly #next: Promise<void>[] = [];

  constructor(prefix: string | undefined) {
    this.space = { name: 'm', prefix, timed: false, staleMs: 60_000, changes: false };
    this.journal.onConflict((conflict) => void this.conflicts.push(conflict));
    const keys = createKeys('n');
    const place = {
      clock: this.clock,
      memory: createMemoryStore({ clock: this.clock }),
      journal: new JournalScope(this.journal, 'n'),
      owner: 'o',
      tally: new Map(),
      tell: () => undefined,
      onReturn: () => undefined,
      processes: () => 1,
    };
    const whole = new MemoryMap(this.memory, keys);
    this.store = prefix === undefined ? whole : new MemoryPlainMap(this.memory, keys);
    this.twin = new AwayMap(this.#faulty(this.store), place, keys);
    this.port =
      prefix === undefined
        ? resilientPort<MapPort>(
            this.twin.gateWhole(this.#faulty(whole), mapOperations),
            mapOperations,
            this.twin,
            place.tally,
          )
        : resilientPort<MapEntryPort>(
            this.twin.gate(this.#faulty(this.store), plainMapOperations),
            plainMapOperations,
            this.twin,
            place.tally,
          );
  }

  /** Holds back the answer of the next call that has none held back yet. */
  hold(): HeldAnswer {
    let held: HeldAnswer | undefined;
    const answer = new Promise<void>((resolve, reject) => {
      const late = (): void => reject(new OutcomeUnknownError('a call', 'its deadline passed', true));
      held = { arrive: resolve, lose: late };
    });
    answer.catch(() => undefined);
    this.#next.push(answer);
    return held as unknown as HeldAnswer;
  }

  set(key: string, value: string, ttlMs?: number): Promise<void> {
    return this.port.set(this.space, 'o', [[key, value]], ttlMs);
  }

  /** A write of another process. */
  other(key: string, value: string, ttlMs?: number): Promise<void> {
    return this.store.set(this.space, 'other', [[key, value]], ttlMs);
  }

  async there(key: string): Promise<string | undefined> {
    const record = await this.store.get(this.space, key);
    return record && String(record.value);
  }

  async read(key: string): Promise<unknown> {
    return this.port.get(this.space, key).then(
      (record) => record && String(record.value),
      ({ code }: { readonly code: string }) => code,
    );
  }

  #faulty<Port extends MapEntryPort>(port: Port): Port {
    return new Proxy(port, {
      get:
        (store, method) =>
        async (...call: never[]) => {
          if (this.away) throw new UnavailableError(String(method), 'a test');
          const held = this.#next.shift();
          const answer: unknown = await (store[method as keyof Port] as (...call: never[]) => unknown).apply(
            store,
            call,
          );
          await held;
          return answer;
        },
    });
  }
}

describe.each([
  ['a map', undefined],
  ['a map in the documented layout', 'documented:m'],
])('what %s notes', (_, prefix) => {
  let site: Site;
  beforeEach(() => {
    site = new Site(prefix);
  });

  const writes: Readonly<Record<string, (to: Site) => Promise<unknown>>> = {
    set: (to) => to.set('k', '1'),
    delete: (to) => to.port.delete(to.space, 'o', ['k']),
    touch: (to) => to.port.touch(to.space, 'k', 1_000),
  };

  it.each(Object.entries(writes))('MA: a late %s does not undo the write after it', async (_name, write) => {
    await site.set('k', '0');
    const [late, inTime] = [site.hold(), site.hold()];
    const first = write(site);
    const second = site.set('k', '2');
    late.lose();
    await first;
    expect(site.journal.size.entries).toBe(1);
    expect(await site.journal.replay()).toBe(false);
    inTime.arrive();
    await second;
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
    expect(await site.journal.replay()).toBe(true);
    await site.clock.advance(2_000);
    expect(await site.there('k')).toBe('2');
    expect(await site.read('k')).toBe('2');
    expect(site.conflicts).toEqual([]);
  });

  it('a late set neither undoes a removal after it, nor a lifetime', async () => {
    for (const [write, found] of [
      [() => site.port.delete(site.space, 'o', ['k']), undefined],
      [() => site.port.touch(site.space, 'k', 1_000), undefined],
      [() => site.port.touch(site.space, 'k', undefined), '1'],
    ] as const) {
      const [late, inTime] = [site.hold(), site.hold()];
      const first = site.set('k', '1', 1_500);
      const second = write();
      late.lose();
      await first;
      inTime.arrive();
      await second;
      await site.journal.replay();
      await site.clock.advance(2_000);
      expect(await site.there('k'), String(write)).toBe(found);
    }
    expect(site.conflicts).toEqual([]);
  });

  it('a write that was noted after another was sent follows it', async () => {
    const held = site.hold();
    const first = site.set('k', '1');
    site.away = true;
    await site.set('k', '2');
    site.away = false;
    held.arrive();
    await first;
    expect(await site.read('k')).toBe('2');
    expect(await site.journal.replay()).toBe(true);
    expect(await site.there('k')).toBe('2');
    expect(site.conflicts).toEqual([]);
  });

  it('an update that was noted does not undo a write that it could not know of', async () => {
    await site.set('k', '0');
    const held = site.hold();
    const first = site.set('k', '10');
    site.away = true;
    const expected = { value: '0', version: undefined };
    const reply = await site.port.replace(site.space, 'o', 'k', expected, '1', undefined);
    expect(reply.written).toBe(true);
    site.away = false;
    held.arrive();
    await first;
    expect(await site.journal.replay()).toBe(true);
    expect(await site.there('k')).toBe('10');
  });

  it('a write that is noted while an earlier one is brought there follows it', async () => {
    site.away = true;
    await site.set('k', '1');
    site.away = false;
    const held = site.hold();
    const replay = site.journal.replay();
    await eventLoopTurn();
    await site.twin.answers.set?.(site.space, 'o', [['k', '2']], undefined);
    held.arrive();
    expect(await replay).toBe(false);
    expect(await site.there('k')).toBe('1');
    expect(await site.journal.replay()).toBe(true);
    expect(await site.there('k')).toBe('2');
    expect(site.conflicts).toEqual([]);
  });

  it('MA: what another process removed meanwhile does not come back, and that is told', async () => {
    await site.set('k', '1');
    site.away = true;
    await site.set('k', '2');
    site.away = false;
    await site.store.delete(site.space, 'other', ['k']);
    await site.journal.replay();
    expect(await site.there('k')).toBeUndefined();
    expect(site.conflicts).toMatchObject([{ key: 'k', ours: '2', why: 'it was removed meanwhile' }]);
  });

  it('what was removed here, or ended, is no conflict', async () => {
    await site.set('removed', '1');
    await site.set('ended', '1', 1_000);
    await site.set('both', '1');
    site.away = true;
    await site.port.delete(site.space, 'o', ['removed', 'both']);
    for (const key of ['removed', 'ended']) await site.set(key, '2');
    await site.clock.advance(2_000);
    await site.store.delete(site.space, 'other', ['removed', 'both']);
    site.away = false;
    await site.journal.replay();
    expect(await Promise.all(['removed', 'ended', 'both'].map((key) => site.there(key)))).toEqual([
      '2',
      '2',
      undefined,
    ]);
    expect(site.conflicts).toEqual([]);
  });

  it('a set of a key that was never seen here is written where there is none, and else a conflict', async () => {
    await site.other('there', '1');
    site.away = true;
    await site.set('there', '2');
    await site.set('new', '2');
    site.away = false;
    await site.journal.replay();
    expect([await site.there('there'), await site.there('new')]).toEqual(['1', '2']);
    expect(site.conflicts).toMatchObject([{ key: 'there', why: 'it was changed meanwhile' }]);
  });

  it('MA: a lifetime that has passed ends nothing that another process kept alive', async () => {
    await site.set('k', '1', 1_500);
    site.away = true;
    await site.port.touch(site.space, 'k', 1_000);
    await site.store.touch(site.space, 'k', 60_000);
    await site.clock.advance(2_000);
    expect(await site.read('k')).toBeUndefined();
    site.away = false;
    expect(await site.journal.replay()).toBe(true);
    expect(await site.there('k')).toBe('1');
    expect(await site.read('k')).toBe('1');
    expect(site.conflicts).toEqual([]);
  });

  it('MA: what the store said longer ago than `staleFor` is not known any more', async () => {
    for (const key of ['old', 'written', 'read', 'gone']) await site.set(key, '1');
    await site.port.delete(site.space, 'o', ['gone']);
    await site.clock.advance(40_000);
    await site.read('read');
    site.away = true;
    await site.set('written', '2');
    expect(await Promise.all(['old', 'read', 'gone'].map((key) => site.read(key)))).toEqual(['1', '1', undefined]);
    await site.clock.advance(40_000);
    const found = await Promise.all(['old', 'gone', 'written', 'read'].map((key) => site.read(key)));
    expect(found).toEqual(['Unavailable', 'Unavailable', '2', '1']);
    for (const call of [
      () => site.port.has(site.space, 'old'),
      () => site.port.touch(site.space, 'old', 1_000),
      () => site.port.delete(site.space, 'o', ['old']),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'Unavailable' });
    }
    // What it was made from is still compared with what is there.
    await site.set('old', '2');
    site.away = false;
    await site.journal.replay();
    expect([await site.there('old'), await site.there('written')]).toEqual(['2', '2']);
    expect(site.conflicts).toEqual([]);
  });
});
