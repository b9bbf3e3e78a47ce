import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemoryEntry, MemoryMapState } from '../../src/map/memory-map-state.js';
import { seedFromEnvironment } from '../../src/testing/random.js';

const entry: MemoryEntry = { value: '1', version: 1, owner: 'o', expiresAtMs: Infinity };

function stateOf(count: number): MemoryMapState {
  const state = new MemoryMapState();
  for (let n = 0; n < count; n++) state.set(String(n), entry);
  return state;
}

/** Reads all pages, with `between` after each. */
function read(state: MemoryMapState, limit: number, between: () => void = () => undefined): string[] {
  const keys: string[] = [];
  let end = Infinity;
  while (end > 0) {
    const page = state.page(end, limit);
    keys.push(...page.entries.map(([key]) => key));
    ({ end } = page);
    between();
  }
  return keys;
}

describe('pages of a map in memory', () => {
  it('hold every entry that stays, whatever is set and removed between them', () => {
    const change = fc.record({ key: fc.nat(29).map(String), isSet: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 7 }),
        (changes, limit) => {
          const state = stateOf(20);
          const removed = new Set<string>();
          const steps = [...changes];
          const keys = read(state, limit, () => {
            for (const { key, isSet } of steps.shift() ?? []) {
              if (isSet) state.set(key, entry);
              else if (state.delete(key)) removed.add(key);
            }
          });
          const stayed = Array.from({ length: 20 }, (_, n) => String(n)).filter((key) => !removed.has(key));
          expect(keys).toEqual(expect.arrayContaining(stayed));
        },
      ),
      { seed: seedFromEnvironment() },
    );
  });

  it('cost what they hold, not what the map holds: 100,000 entries ten by ten are read within the time of a test', () => {
    expect(new Set(read(stateOf(100_000), 10)).size).toBe(100_000);
  });
});
