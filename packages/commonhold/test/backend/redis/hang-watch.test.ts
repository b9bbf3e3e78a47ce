import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HangWatch } from '../../../src/backend/redis/hang-watch.js';

/** Milliseconds of looks, 10 ms apart, until the verdict. */
function untilVerdict(watch: HangWatch, limitMs: number): number | undefined {
  for (let ms = 10; ms <= limitMs; ms += 10) if (watch.look(10, 1, 0)) return ms;
  return undefined;
}

describe('HangWatch', () => {
  it('declares a hang after 500 ms of silence with calls in flight, and begins anew after it', () => {
    const watch = new HangWatch(500);
    expect(untilVerdict(watch, 1_000)).toBe(510);
    expect(untilVerdict(watch, 1_000)).toBe(510);
  });

  it('never does while nothing is in flight, or while anything arrives', () => {
    const watch = new HangWatch(500);
    for (let look = 0; look < 200; look++) expect(watch.look(10, 0, 0)).toBe(false);
    for (let look = 0; look < 200; look++) expect(watch.look(10, 5, Math.floor(look / 49))).toBe(false);
  });

  it('takes a stall of our own for no more than 30 ms, whatever its length', () => {
    const watch = new HangWatch(500);
    for (let ms = 10; ms <= 400; ms += 10) expect(watch.look(10, 1, 0)).toBe(false);
    expect(watch.look(5_000, 1, 0)).toBe(false);
    // A reply that takes 50 ms more is in time.
    for (let ms = 10; ms <= 50; ms += 10) expect(watch.look(10, 1, 0)).toBe(false);
    expect(watch.look(10, 1, 7)).toBe(false);
    expect(untilVerdict(watch, 400)).toBeUndefined();
  });

  it('lets what arrived in a stall be read, even when the evidence was all but complete', () => {
    const watch = new HangWatch(500);
    for (let ms = 10; ms <= 490; ms += 10) expect(watch.look(10, 1, 0)).toBe(false);
    expect(watch.look(300, 1, 0)).toBe(false);
    expect(watch.look(10, 1, 1)).toBe(false);
  });

  it('declares a hang in the end, however irregular its looks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 10, max: 1_000 }), { minLength: 52, maxLength: 80 }), (gaps) => {
        const watch = new HangWatch(500);
        return gaps.some((gapMs) => watch.look(gapMs, 1, 0));
      }),
    );
  });
});
