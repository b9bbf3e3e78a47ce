import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryStore, type MemoryStore } from '../../src/backend/memory/memory-store.js';
import { MemoryCounter } from '../../src/counter/memory-counter.js';
import { createKeys } from '../../src/keys.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';

const dayMs = 86_400_000;
let store: MemoryStore | undefined;
afterEach(() => store?.close());

// Noon of a day.
function open(maxBytes?: number): { counter: MemoryCounter; clock: ManualClock } {
  const clock = createManualClock(Date.UTC(2026, 0, 1, 12));
  store = createMemoryStore({ clock, ...(maxBytes === undefined ? {} : { maxBytes }) });
  return { counter: new MemoryCounter(store, createKeys('test')), clock };
}

describe('a counter in memory', () => {
  it('lives through the last millisecond of its ttl', async () => {
    const { counter, clock } = open();
    await counter.add('c', 1, 1_000, undefined);
    await clock.advance(1_000);
    expect(await counter.get('c')).toBe(1);
    await clock.advance(1);
    expect(await counter.get('c')).toBe(0);
  });

  it('keeps a day through the last millisecond, also when another day is added to then', async () => {
    const { counter, clock } = open();
    await counter.add('c', 1, undefined, dayMs);
    await clock.advance(1.5 * dayMs);
    await counter.add('c', 2, undefined, dayMs);
    expect((await counter.series('c', dayMs, 3, undefined)).counts).toEqual([1, 0, 2]);
    await clock.advance(1);
    expect((await counter.series('c', dayMs, 3, undefined)).counts).toEqual([0, 0, 2]);
  });

  it('adds and remembers both or neither, when memory is full', async () => {
    for (let maxBytes = 100; maxBytes < 1_200; maxBytes += 10) {
      const { counter } = open(maxBytes);
      const operation = { id: 'one', rememberMs: 1_000 };
      const add = (): Promise<unknown> =>
        counter.addOnce('c', 1, undefined, dayMs, operation).catch((error: { code: string }) => error.code);
      const added = await add();
      expect([await add(), await counter.get('c')]).toEqual(added === 1 ? [1, 1] : ['Overloaded', 0]);
    }
  });

  it('takes room for operations only while it remembers them', async () => {
    const { counter, clock } = open(100_000);
    const add = (id: number): Promise<number> =>
      counter.addOnce('c', 1, undefined, undefined, { id: `${id}`, rememberMs: 1_000 });
    let added = 0;
    while (await add(added).then(Boolean, () => false)) added += 1;
    expect(added).toBeGreaterThan(100);
    await clock.advance(1_001);
    expect(await add(added)).toBe(added + 1);
  });

  it('adds to total and day both or to neither, when memory is full', async () => {
    for (let maxBytes = 100; maxBytes < 700; maxBytes += 10) {
      const { counter } = open(maxBytes);
      const added = await counter.add('c', 1, undefined, dayMs).catch((error: { code: string }) => error.code);
      const [day] = (await counter.series('c', dayMs, 1, undefined)).counts;
      expect([added, await counter.get('c'), day]).toEqual(added === 1 ? [1, 1, 1] : ['Overloaded', 0, 0]);
    }
  });
});
