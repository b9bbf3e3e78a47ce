import { describe, expect, it } from 'vitest';
import { createMemoryStore, handOut, MemoryStore } from '../../../src/backend/memory/memory-store.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';

describe('MemoryStore', () => {
  it('gives everyone the same table of a name', () => {
    const store = createMemoryStore();
    expect(store.table('a')).toBe(store.table('a', { evictable: true }));
    expect(store.table('a')).not.toBe(store.table('b'));
    expect(store).toBeInstanceOf(MemoryStore);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, '1'])('refuses a bound of %s', (maxBytes) => {
    expect(() => createMemoryStore({ maxBytes: maxBytes as number })).toThrow(
      expect.objectContaining({ code: 'InvalidArgument', message: expect.stringMatching(/^maxBytes: /) as string }),
    );
  });

  it('holds no more planned looks than twice the live entries, however much comes and goes', () => {
    const clock = createManualClock();
    const store = createMemoryStore({ clock, maxBytes: 100_000_000 });
    const table = store.table<number>('t');
    for (let live = 0; live < 6_000; live++) table.set(`live ${live}`, live, 1, clock.now() + 86_400_000);
    for (let round = 0; round < 60_000; round++) {
      table.set(`gone ${round}`, round, 1, clock.now() + 3_600_000);
      table.delete(`gone ${round}`);
      // A life that gets shorter plans another look each time.
      table.expire('live 0', clock.now() + 86_400_000 - round);
      expect(store.plannedLooks).toBeLessThanOrEqual(2 * 6_000 + 1);
    }
    expect(clock.timers).toBe(1);
    expect(table.size).toBe(6_000);
  });

  it('shifts its one timer when something shorter comes, and keeps none when closed', async () => {
    const clock = createManualClock();
    const store = createMemoryStore({ clock });
    const table = store.table<number>('t');
    table.set('long', 1, 1, clock.now() + 10_000);
    table.set('short', 1, 1, clock.now() + 10);
    expect(clock.timers).toBe(1);
    await clock.advance(11);
    expect(table.size).toBe(1);
    store.close();
    expect(clock.timers).toBe(0);
    expect(table.get('long')).toBe(1);
  });

  it('hands out bytes that can be changed without changing what is kept', () => {
    const kept = Buffer.from([1]);
    const out = handOut(kept) as Buffer;
    out[0] = 2;
    expect(kept[0]).toBe(1);
    expect(handOut('text')).toBe('text');
  });
});
