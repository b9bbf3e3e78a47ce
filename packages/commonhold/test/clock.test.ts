import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../src/clock.js';
import { createManualClock } from '../src/testing/manual-clock.js';
import { pause } from '../src/testing/waiting.js';

describe('systemClock', () => {
  it('fires once, after the delay, unless it was stopped', async () => {
    const startedAtMs = systemClock.monotonic();
    let fired = 0;
    const stopped = systemClock.setTimer(() => void fired++, 1);
    stopped.cancel();
    stopped.cancel();
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(resolve, 20, { keepAlive: true });
      expect(timer).toBeDefined();
    });
    expect(systemClock.monotonic() - startedAtMs).toBeGreaterThan(18);
    expect(fired).toBe(0);
  });

  it('does not fire at once what is due in a month: a plain timer would', async () => {
    let fired = 0;
    const timer = systemClock.setTimer(() => void fired++, 2 ** 31 + 5);
    await pause(20);
    expect(fired).toBe(0);
    timer.cancel();
  });

  it('tells the wall time and a time that never goes back', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(100);
    const [one, two] = [systemClock.monotonic(), systemClock.monotonic()];
    expect(two).toBeGreaterThanOrEqual(one);
  });
});

describe('sleep', () => {
  it('ends with its time, or with its signal, and leaves no timer and no listener', async () => {
    const clock = createManualClock();
    const controller = new AbortController();
    let ended = '';
    void sleep(clock, 100).then(() => (ended += 'time '));
    void sleep(clock, 100, controller.signal).then(() => (ended += 'signal '));
    controller.abort();
    await clock.advance(50);
    expect(ended).toBe('signal ');
    expect(clock.timers).toBe(1);
    await clock.advance(50);
    expect(ended).toBe('signal time ');
    expect(clock.timers).toBe(0);
    await sleep(clock, 100, controller.signal);
    expect(clock.timers).toBe(0);
  });
});
