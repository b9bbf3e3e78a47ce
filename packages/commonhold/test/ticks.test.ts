import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleepInNaps, latestTick, nextTick } from '../src/ticks.js';
import { createManualClock } from '../src/testing/manual-clock.js';

const at = (text: string): number => Date.parse(`${text}Z`);

describe('the latest tick', () => {
  it('is the one that stepping forward finds', () => {
    const times = fc.constantFrom({ every: '1s' as const }, { every: '7m' as const }, { cron: '*/5 3-4 * * *' });
    fc.assert(
      fc.property(times, fc.nat(200_000_000), fc.nat(100_000_000), (schedule, afterMs, laterMs) => {
        const next = nextTick(schedule);
        const nowMs = afterMs + (schedule.every === '1s' ? laterMs % 5_000_000 : laterMs);
        let expected: number | undefined;
        for (let tick = next(afterMs); tick <= nowMs; tick = next(tick)) expected = tick;
        expect(latestTick(next, afterMs, nowMs)).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('is found at once after years, of ticks each second and of ticks once in years', () => {
    const [afterMs, nowMs] = [at('2001-01-01T00:00:00'), at('2026-11-21T09:30:00.5')];
    expect(latestTick(nextTick({ every: '1s' }), afterMs, nowMs)).toBe(at('2026-11-21T09:30:00'));
    expect(latestTick(nextTick({ cron: '0 0 29 2 *' }), afterMs, nowMs)).toBe(at('2024-02-29T00:00:00'));
    expect(latestTick(nextTick({ cron: '0 0 29 2 *' }), at('2024-02-29T00:00:00'), nowMs)).toBeUndefined();
    expect(latestTick(nextTick({ every: '1h' }), nowMs, nowMs)).toBeUndefined();
    expect(latestTick(nextTick({ every: '1h' }), nowMs + 5, nowMs)).toBeUndefined();
  });
});

describe('sleeping in naps', () => {
  it('ends in time, or with its signal', async () => {
    const clock = createManualClock();
    const controller = new AbortController();
    const ended: string[] = [];
    const naps = [
      sleepInNaps(clock, 2_500, new AbortController().signal).then(() => ended.push('slept')),
      sleepInNaps(clock, 60_000, controller.signal).then(() => ended.push('aborted')),
    ];
    await clock.advance(2_400);
    expect(ended).toEqual([]);
    await clock.advance(100);
    expect(ended).toEqual(['slept']);
    controller.abort();
    await Promise.all(naps);
    expect(ended).toEqual(['slept', 'aborted']);
  });
});
