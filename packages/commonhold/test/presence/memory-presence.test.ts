import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';
import type { Membership } from '../../src/presence/membership.js';
import { createManualClock } from '../../src/testing/manual-clock.js';

describe('a presence in memory', () => {
  it('is bounded: refuses who does not fit, and lets everybody else move on and out', async () => {
    const memory = createMemoryStore({ maxBytes: 200_000 });
    const state = await openState({ memory, namespace: 'n' });
    const presence = state.presence<string>('p');
    const joined: Membership[] = [];
    for (;;) {
      const n = joined.length;
      const membership = await presence
        .join({ id: `m${n}`, region: 'r', meta: 'x'.repeat(1_000) })
        .catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'Overloaded' });
        });
      if (!membership) break;
      joined.push(membership);
    }
    expect(joined.length).toBeGreaterThan(10);
    expect(await presence.count('r')).toBe(joined.length);
    joined[0]?.heartbeat();
    await Promise.all(joined.map((membership) => membership.leave()));
    expect(await presence.count('r')).toBe(0);
    await state.close();
    memory.close();
  });

  it('gives back what it took when all have left', async () => {
    const clock = createManualClock();
    const memory = createMemoryStore({ clock });
    const state = await openState({ memory, clock, namespace: 'n' });
    const presence = state.presence('p');
    const before = memory.budget.usedBytes;
    const all = await Promise.all(
      Array.from({ length: 500 }, (_, n) => presence.join({ id: `m${n}`, region: 'r', user: 'u' })),
    );
    await Promise.all(all.map((membership) => membership.move({ region: 'a region with a longer name' })));
    expect(memory.budget.usedBytes).toBeGreaterThan(before + 100_000);
    await Promise.all(all.map((membership) => membership.leave()));
    await state.close();
    // What was told is kept for a minute, and of the owners for a week.
    await clock.advance(8 * 86_400_000);
    expect(memory.budget.usedBytes).toBe(before);
    memory.close();
  });
});
