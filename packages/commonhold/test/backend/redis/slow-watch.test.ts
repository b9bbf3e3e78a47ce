import { describe, expect, it } from 'vitest';
import { SlowWatch } from '../../../src/backend/redis/slow-watch.js';

/** Looks every 10 ms for `ms`; whether the verdict fell, and after how long. */
function look(
  watch: SlowWatch,
  ms: number,
  inFlight: number = 1,
  onLook: () => void = () => undefined,
): number | undefined {
  for (let passed = 10; passed <= ms; passed += 10) {
    onLook();
    if (watch.look(10, inFlight)) return passed;
  }
  return undefined;
}

describe('SlowWatch', () => {
  it('gives a connection up after a second in which nothing was answered in time', () => {
    const watch = new SlowWatch(500);
    const sent: number[] = [];
    const late = (): void => {
      sent.push(watch.countedMs);
      // Every answer takes 600 ms.
      while (sent[0] !== undefined && watch.countedMs - sent[0] >= 600) watch.answered(sent.shift() as number);
    };
    expect(look(watch, 5_000, 1, late)).toBe(1_000);
  });

  it('is content with one answer in time, however many are late', () => {
    const watch = new SlowWatch(500);
    let looks = 0;
    const some = (): void => {
      watch.answered(watch.countedMs - 2_000);
      if (++looks % 90 === 0) watch.answered(watch.countedMs - 400);
    };
    expect(look(watch, 10_000, 1, some)).toBeUndefined();
  });

  it('counts no time in which nothing is in flight, nor what our own event loop lost', () => {
    const watch = new SlowWatch(500);
    expect(look(watch, 10_000, 0)).toBeUndefined();
    for (let stall = 0; stall < 30; stall++) expect(watch.look(2_000, 1)).toBe(false);
  });

  it('gives calls that may take longer as much longer, and a new connection a new start', () => {
    const patient = new SlowWatch(2_000);
    expect(look(patient, 3_990)).toBeUndefined();
    patient.restart();
    expect(look(patient, 10_000)).toBe(4_000);
  });
});
