import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('handing in a result', () => {
  async function opened(): Promise<[SharedState, ManualClock]> {
    const clock = createManualClock();
    const memory = createMemoryStore({ clock, maxBytes: 100_000 });
    return [await openState({ memory, clock, log }), clock];
  }

  it('to a store that has no room for it, and renews the lease all the same, ends after one lease', async () => {
    const [state, clock] = await opened();
    const run = state.runOnce<string>('r', { lease: '2s' });
    const refused = expect(run.run('k', () => 'x'.repeat(200_000))).rejects.toMatchObject({ code: 'Overloaded' });
    const next = run.run('k', ({ attempt }) => `attempt ${attempt}`);
    await clock.advance(5_000);
    await refused;
    expect(await next).toBe('attempt 2');
    await state.close();
  });

  it('to a store that has room a moment later succeeds', async () => {
    const [state, clock] = await opened();
    const filler = state.map<string>('m');
    await filler.set('large', 'y'.repeat(90_000));
    const result = state.runOnce<string>('r').run('k', () => 'x'.repeat(50_000));
    await clock.advance(1_000);
    await filler.delete('large');
    await clock.advance(1_000);
    expect(await result).toHaveLength(50_000);
    await state.close();
  });
});
