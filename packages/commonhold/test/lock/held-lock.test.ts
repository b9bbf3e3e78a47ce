import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';
import { createManualClock } from '../../src/testing/manual-clock.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('work under a lock of a state that closes', () => {
  /** Work that ends `endsAfterMs` after its state began to close, under a lease of 8 s. */
  async function closedUnder(endsAfterMs: number): Promise<string> {
    const clock = createManualClock();
    const memory = createMemoryStore({ clock });
    const state = await openState({ memory, clock, log });
    const working = state
      .lock('l', { lease: '8s' })
      .run(() => new Promise<string>((resolve) => clock.setTimer(() => resolve('held'), endsAfterMs + 100)))
      .catch((error: { code: string }) => error.code);
    await clock.advance(100);
    const closing = state.close();
    await clock.advance(endsAfterMs);
    await closing;
    memory.close();
    return working;
  }

  it('is told that the lock was lost when it went on for longer than its lease', async () => {
    expect(await closedUnder(60_000)).toBe('LeaseLost');
  });

  it('is not when it ended in time, in the grace of closing or by its lease', async () => {
    expect(await closedUnder(4_000)).toBe('held');
    expect(await closedUnder(6_000)).toBe('held');
  });
});
