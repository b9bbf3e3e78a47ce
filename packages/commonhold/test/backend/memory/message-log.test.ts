import { describe, expect, it } from 'vitest';
import { MessageLog } from '../../../src/backend/memory/message-log.js';
import { createMemoryStore } from '../../../src/backend/memory/memory-store.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';

const rules = { keepMs: 10_000, keepCount: 3, format: 'framed' } as const;

describe('message log', () => {
  it('keeps ids growing when the clock goes back', () => {
    const clock = createManualClock(1_000_000);
    const log = new MessageLog(createMemoryStore({ clock }));
    const first = log.append('k', 'k', 'a', rules);
    clock.jumpWall(-5_000);
    expect([first, log.append('k', 'k', 'b', rules), log.newest('k')]).toEqual(['1000000-0', '1000000-1', '1000000-1']);
  });

  it('refuses what does not fit, and is then as it was; what is trimmed makes room', () => {
    const store = createMemoryStore({ maxBytes: 4_000, clock: createManualClock() });
    const log = new MessageLog(store);
    const heard: unknown[] = [];
    void store.bus.subscribe('k', (message) => heard.push(message));
    for (let n = 0; n < 100; n++) log.append('k', 'k', 'x'.repeat(500), rules);
    const before = [store.budget.usedBytes, log.read('k', '0-0', 10)];
    expect(() => log.append('k', 'k', 'x'.repeat(5_000), rules)).toThrow(
      expect.objectContaining({ code: 'Overloaded' }),
    );
    expect([store.budget.usedBytes, log.read('k', '0-0', 10)]).toEqual(before);
  });

  it('gives back all it took when the stream expires', async () => {
    const clock = createManualClock();
    const store = createMemoryStore({ clock });
    const log = new MessageLog(store);
    for (let n = 0; n < 100; n++) log.append('k', 'k', 'x'.repeat(n), rules);
    await clock.advance(10_001);
    expect([log.newest('k'), store.budget.usedBytes, clock.timers]).toEqual([undefined, 0, 0]);
  });

  it('reads from any id on', () => {
    const clock = createManualClock(1_000);
    const log = new MessageLog(createMemoryStore({ clock }));
    const many = { ...rules, keepCount: 1_000 };
    const ids = Array.from({ length: 500 }, () => log.append('k', 'k', 'x', many));
    for (const [index, id] of ids.entries()) expect(log.read('k', id, 1_000)).toHaveLength(500 - index);
    expect(log.read('k', '2000-0', 10)).toEqual([]);
    expect(log.read('k', '0-0', 2).map(({ id, previous }) => [id, previous])).toEqual([
      ['1000-0', '0-0'],
      ['1000-1', '1000-0'],
    ]);
  });
});
