import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExpiringTable } from '../../../src/backend/memory/expiring-table.js';
import { createMemoryStore, type MemoryStore } from '../../../src/backend/memory/memory-store.js';
import { createManualClock, type ManualClock } from '../../../src/testing/manual-clock.js';

const overheadBytes = 150;

function fresh(maxBytes = 1_000_000): { clock: ManualClock; store: MemoryStore; table: ExpiringTable<string> } {
  const clock = createManualClock();
  const store = createMemoryStore({ clock, maxBytes });
  return { clock, store, table: store.table<string>('t', { evictable: true }) };
}

describe('expiry', () => {
  it('H.11: is exact: alive in the millisecond of its end, gone in the next', async () => {
    const { clock, table } = fresh();
    table.set('k', 'v', 1, clock.now() + 100);
    await clock.advance(100);
    expect(table.get('k')).toBe('v');
    await clock.advance(1);
    expect(table.get('k')).toBeUndefined();
    expect(table.has('k')).toBe(false);
    expect(table.expiresAtMs('k')).toBeUndefined();
    expect(table.delete('k')).toBe(false);
    expect(table.expire('k', Infinity)).toBe(false);
  });

  it('removes what nobody reads, with one timer for all', async () => {
    const { clock, store, table } = fresh();
    for (let key = 0; key < 500; key++) table.set(`k${key}`, 'v', 1, clock.now() + 1_000 + key);
    expect(clock.timers).toBe(1);
    await clock.advance(1_250);
    expect(table.size).toBe(250);
    await clock.advance(250);
    expect(table.size).toBe(0);
    expect(store.budget.usedBytes).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('is checked on reading when the wall clock jumps, forward or back', () => {
    const { clock, table } = fresh();
    table.set('k', 'v', 1, clock.now() + 3_600_000);
    clock.jumpWall(-3_600_000);
    expect(table.get('k')).toBe('v');
    clock.jumpWall(7_200_001);
    expect(table.get('k')).toBeUndefined();
  });

  it('of 30 days does not end at once, and of for ever plans nothing', async () => {
    const { clock, store, table } = fresh();
    table.set('month', 'v', 1, clock.now() + 30 * 86_400_000);
    table.set('ever', 'v', 1);
    expect(store.plannedLooks).toBe(1);
    await clock.advance(29 * 86_400_000);
    expect([...table.keys()]).toEqual(['month', 'ever']);
    await clock.advance(2 * 86_400_000);
    expect([...table.keys()]).toEqual(['ever']);
    expect(table.expiresAtMs('ever')).toBe(Infinity);
  });
});

describe('against a naive model', () => {
  const key = fc.constantFrom('a', 'bb', 'ccc', 'dddd');
  // Already past, soon, later, never.
  const life = fc.constantFrom(-5, 0, 1, 7, 50, 50_000, Infinity);
  const step = fc.oneof(
    fc.record({ do: fc.constant('set' as const), key, bytes: fc.integer({ min: 0, max: 99 }), life }),
    fc.record({ do: fc.constant('expire' as const), key, life }),
    fc.record({ do: fc.constant('delete' as const), key }),
    fc.record({ do: fc.constant('get' as const), key }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 2, 6, 49, 60_000) }),
  );

  it('answers alike, counts every byte and plans no more looks than needed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, store, table } = fresh();
        const model = new Map<string, { value: string; bytes: number; expiresAtMs: number }>();
        const alive = (name: string) => {
          const entry = model.get(name);
          if (entry !== undefined && clock.now() <= entry.expiresAtMs) return entry;
          model.delete(name);
          return undefined;
        };
        for (const [index, next] of steps.entries()) {
          if (next.do === 'advance') await clock.advance(next.ms);
          else if (next.do === 'set') {
            const entry = { value: `v${index}`, bytes: next.bytes, expiresAtMs: clock.now() + next.life };
            table.set(next.key, entry.value, next.bytes, entry.expiresAtMs);
            model.set(next.key, entry);
          } else if (next.do === 'expire') {
            const entry = alive(next.key);
            expect(table.expire(next.key, clock.now() + next.life)).toBe(entry !== undefined);
            if (entry) entry.expiresAtMs = clock.now() + next.life;
          } else if (next.do === 'delete') {
            expect(table.delete(next.key)).toBe(alive(next.key) !== undefined);
            model.delete(next.key);
          } else expect(table.get(next.key)).toBe(alive(next.key)?.value);
          for (const name of ['a', 'bb', 'ccc', 'dddd']) {
            expect(table.has(name)).toBe(alive(name) !== undefined);
            expect(table.expiresAtMs(name)).toBe(alive(name)?.expiresAtMs);
          }
          expect(new Set(table.keys())).toEqual(new Set(model.keys()));
          expect(table.size).toBe(model.size);
          const bytes = [...model].map(([name, entry]) => entry.bytes + 2 * name.length + overheadBytes);
          expect(store.budget.usedBytes).toBe(bytes.reduce((sum, cost) => sum + cost, 0));
          expect(clock.timers).toBeLessThanOrEqual(1);
        }
        await clock.advance(100_000);
        const lasting = [...model.values()].filter((entry) => entry.expiresAtMs === Infinity).length;
        expect(table.size).toBe(lasting);
        expect(clock.timers).toBe(0);
        expect(store.plannedLooks).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('removes by itself, without being read', async () => {
    const sets = fc.array(fc.record({ key, life: fc.constantFrom(1, 7, 50, 900) }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sets, fc.constantFrom(0, 1, 8, 51, 901), async (entries, ms) => {
        const { clock, table } = fresh();
        const ends = new Map<string, number>();
        for (const entry of entries) {
          table.set(entry.key, 'v', 1, clock.now() + entry.life);
          ends.set(entry.key, clock.now() + entry.life);
        }
        await clock.advance(ms);
        expect(table.size).toBe([...ends.values()].filter((end) => clock.now() <= end).length);
      }),
      { numRuns: 100 },
    );
  });
});

describe('room', () => {
  /** A store that holds `entries` entries of one byte with a key of one letter. */
  const roomFor = (entries: number): number => entries * (1 + 2 + overheadBytes);

  it('is made by dropping the oldest that was not read', () => {
    const { table } = fresh(roomFor(3));
    for (const name of ['a', 'b', 'c']) table.set(name, name, 1);
    table.get('a');
    table.set('d', 'd', 1);
    expect([...table.keys()].toSorted()).toEqual(['a', 'c', 'd']);
    table.set('e', 'e', 1);
    expect([...table.keys()].toSorted()).toEqual(['a', 'd', 'e']);
  });

  it('is made although everything was read, and reading saves an entry once only', () => {
    const { table } = fresh(roomFor(3));
    for (const name of ['a', 'b', 'c']) {
      table.set(name, name, 1);
      table.get(name);
    }
    table.set('d', 'd', 1);
    expect(table.size).toBe(3);
    expect(table.has('d')).toBe(true);
    table.set('e', 'e', 1);
    table.set('f', 'f', 1);
    expect([...table.keys()].toSorted()).toEqual(['d', 'e', 'f']);
  });

  it('does not count a look at the keys, at an expiry or at presence as a read', () => {
    const { table } = fresh(roomFor(2));
    table.set('a', 'a', 1);
    table.set('b', 'b', 1);
    expect([...table.keys()]).toEqual(['a', 'b']);
    table.has('a');
    table.expiresAtMs('a');
    table.set('c', 'c', 1);
    expect([...table.keys()]).toEqual(['b', 'c']);
  });

  it('is never exceeded, and never miscounted, whatever is set', () => {
    const size = fc.integer({ min: 0, max: 600 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), size, fc.boolean())), (sets) => {
        const { store, table } = fresh(800);
        const sizes = new Map<string, number>();
        for (const [name, bytes, read] of sets) {
          const fits = bytes + 2 + overheadBytes <= 800;
          table.set(name, name, bytes);
          expect(fits).toBe(true);
          sizes.set(name, bytes);
          if (read) table.get(name);
          const held = [...table.keys()].map((held) => (sizes.get(held) ?? 0) + 2 + overheadBytes);
          expect(store.budget.usedBytes).toBe(held.reduce((sum, cost) => sum + cost, 0));
          expect(store.budget.usedBytes).toBeLessThanOrEqual(800);
          expect(table.has(name)).toBe(true);
        }
      }),
    );
  });

  it('for what is larger than everything is refused without emptying the rest', () => {
    const { store, table } = fresh(roomFor(3));
    for (const name of ['a', 'b', 'c']) table.set(name, name, 1);
    expect(() => table.set('d', 'd', 10_000)).toThrow(expect.objectContaining({ code: 'Overloaded' }));
    expect(() => table.set('a', 'new', 10_000)).toThrow(expect.objectContaining({ code: 'Overloaded' }));
    expect(['a', 'b', 'c'].map((name) => table.get(name))).toEqual(['a', 'b', 'c']);
    expect(store.budget.usedBytes).toBe(roomFor(3));
  });

  it('is made in caches for others, and others are refused when no cache is left', () => {
    const { store, table } = fresh(roomFor(4));
    const firm = store.table<string>('firm');
    for (const name of ['a', 'b', 'c', 'd']) table.set(name, name, 1);
    for (const name of ['w', 'x', 'y', 'z']) firm.set(name, name, 1);
    expect(table.size).toBe(0);
    expect(() => firm.set('one too many', '', 1)).toThrow(expect.objectContaining({ code: 'Overloaded' }));
    expect(() => table.set('e', 'e', 1)).toThrow(expect.objectContaining({ code: 'Overloaded' }));
    expect(() => firm.set('w', 'larger', 2)).toThrow(expect.objectContaining({ code: 'Overloaded' }));
    expect(firm.get('w')).toBe('w');
    firm.set('w', 'smaller', 0);
    expect(firm.delete('x')).toBe(true);
    table.set('e', 'e', 1);
    expect(firm.size).toBe(3);
  });

  it('is not given back twice when making room would evict the entry being replaced', () => {
    const { store, table } = fresh(roomFor(2));
    table.set('a', 'a', 1);
    table.set('b', 'b', 1);
    table.set('a', 'larger', 100);
    expect(table.get('a')).toBe('larger');
    expect(table.has('b')).toBe(false);
    expect(store.budget.usedBytes).toBe(100 + 2 + overheadBytes);
    table.delete('a');
    expect(store.budget.usedBytes).toBe(0);
  });
});
