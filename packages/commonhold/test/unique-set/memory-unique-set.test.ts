import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryStore, type MemoryStore } from '../../src/backend/memory/memory-store.js';
import { createKeys } from '../../src/keys.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';
import { MemoryMembers } from '../../src/unique-set/memory-members.js';
import { MemoryUniqueSet } from '../../src/unique-set/memory-unique-set.js';

let store: MemoryStore | undefined;
afterEach(() => store?.close());

const address = { name: 's', prefix: undefined };

function open(maxBytes?: number): { set: MemoryUniqueSet; clock: ManualClock; store: MemoryStore } {
  const clock = createManualClock();
  store = createMemoryStore({ clock, ...(maxBytes === undefined ? {} : { maxBytes }) });
  return { set: new MemoryUniqueSet(store, createKeys('test')), clock, store };
}

describe('a unique set in memory', () => {
  it('lives through the last millisecond of its ttl', async () => {
    const { set, clock } = open();
    await set.add(address, ['a'], 1_000);
    await clock.advance(1_000);
    expect(await set.count(address)).toBe(1);
    await clock.advance(1);
    expect(await set.count(address)).toBe(0);
  });

  it('adds a whole batch or nothing of it, when memory is full', async () => {
    for (let maxBytes = 100; maxBytes < 900; maxBytes += 10) {
      const { set } = open(maxBytes);
      const first = await set.add(address, ['a'], undefined).catch(() => 0);
      const added = await set.add(address, ['a', 'b', 'c'], 1_000).catch((error: { code: string }) => error.code);
      const expected = added === 'Overloaded' ? first : 3;
      expect([await set.count(address), (await set.members(address, '0', 9)).members.length]).toEqual([
        expected,
        expected,
      ]);
    }
  });

  it('gives back all the bytes it took', async () => {
    const { set, store, clock } = open();
    await set.add(address, ['a', 'bb'], undefined);
    await set.add(address, ['bb', 'ccc'], undefined);
    await set.delete(address, ['a', 'a']);
    expect(store.budget.usedBytes).toBeGreaterThan(0);
    await set.delete(address, ['bb', 'ccc']);
    expect(store.budget.usedBytes).toBe(0);
    await set.add(address, ['a'], 1_000);
    await clock.advance(1_001);
    expect(await set.count(address)).toBe(0);
    expect(store.budget.usedBytes).toBe(0);
  });
});

describe('members in memory', () => {
  const name = fc.integer({ min: 0, max: 30 }).map(String);
  const change = fc.record({ add: fc.boolean(), name });

  it('read by page, hold whatever stayed from the first page to the last', () => {
    fc.assert(
      fc.property(
        fc.array(name),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.array(change)),
        (first, limit, rounds) => {
          const members = new MemoryMembers();
          for (const one of new Set(first)) members.add(one);
          const staying = new Set(first);
          const seen = new Set<string>();
          let end = Infinity;
          for (let round = 0; end > 0; round++) {
            const page = members.page(end, limit);
            for (const one of page.members) seen.add(one);
            ({ end } = page);
            for (const { add, name: one } of end === 0 ? [] : (rounds[round] ?? [])) {
              if (!add && members.delete(one)) staying.delete(one);
              else if (add && !members.has(one)) members.add(one);
            }
          }
          expect([...staying].filter((one) => !seen.has(one))).toEqual([]);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
