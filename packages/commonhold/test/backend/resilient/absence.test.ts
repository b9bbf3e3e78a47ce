import { describe, expect, it } from 'vitest';
import { Absence } from '../../../src/backend/resilient/absence.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';

describe('Absence', () => {
  it('reaches back to when the store was left, for a moment after its return', async () => {
    const clock = createManualClock();
    const absence = new Absence(clock, true);
    const startMs = clock.monotonic();
    await clock.advance(60_000);
    expect(absence.isOver(false)).toBe(false);
    await clock.advance(60_000);
    expect([absence.isOver(false), absence.leftAtMs]).toEqual([false, startMs + 60_000]);
    expect([absence.isOver(true), absence.isOver(true)]).toEqual([true, false]);
    expect(absence.leftAtMs).toBe(startMs + 60_000);
  });

  it('reaches back to the last pulse where the store was there all the while', async () => {
    const clock = createManualClock();
    const absence = new Absence(clock, true);
    await clock.advance(60_000);
    expect(clock.monotonic() - absence.leftAtMs).toBe(2_000);
  });
});
