import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.js';
import { createManualClock } from '../../src/testing/manual-clock.js';

const day = Date.UTC(2026, 0, 1);

describe('the time of a manual clock', () => {
  it('stands still, from the start of 2026 or the moment given', async () => {
    const clock = createManualClock();
    expect([clock.now(), clock.monotonic()]).toEqual([day, 0]);
    await new Promise((resolve) => setTimeout(resolve, 15));
    expect([clock.now(), clock.monotonic()]).toEqual([day, 0]);
    expect(createManualClock(5000).now()).toBe(5000);
  });

  it('moves on both clocks', async () => {
    const clock = createManualClock(1000);
    await clock.advance(250);
    await clock.advance(0);
    expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
  });

  it('has a wall clock of whole milliseconds, as the machine has', async () => {
    const clock = createManualClock(1000);
    await clock.advance(0.75);
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0.75]);
  });

  it('jumps on the wall only, and fires nothing', () => {
    const clock = createManualClock(1000);
    let fired = 0;
    clock.setTimer(() => (fired += 1), 10);
    clock.jumpWall(3_600_000);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([3_601_000, 0, 0]);
    clock.jumpWall(-7_200_000);
    expect(clock.now()).toBe(1000 - 3_600_000);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('does not advance by %s', async (ms) => {
    const clock = createManualClock();
    await expect(clock.advance(ms)).rejects.toThrow(String(ms));
    expect(clock.monotonic()).toBe(0);
  });

  it('refuses a start and a jump that are no time', () => {
    expect(() => createManualClock(Number.NaN)).toThrow('startMs');
    expect(() => createManualClock().jumpWall(Number.NaN)).toThrow('NaN');
  });
});

describe('the timers of a manual clock', () => {
  it('fire by due time, ties in the order of arming, each at its own moment', async () => {
    const clock = createManualClock(0);
    const fired: string[] = [];
    const arm = (name: string, delayMs: number): unknown =>
      clock.setTimer(() => fired.push(`${name} at ${clock.monotonic()}/${clock.now()}`), delayMs);
    arm('c', 30);
    arm('a', 10);
    arm('b1', 20);
    arm('b2', 20);
    await clock.advance(25);
    expect(fired).toEqual(['a at 10/10', 'b1 at 20/20', 'b2 at 20/20']);
    expect([clock.monotonic(), clock.timers]).toEqual([25, 1]);
    await clock.advance(5);
    expect(fired.at(-1)).toBe('c at 30/30');
  });

  it('fire once, exactly when due and not a moment before', async () => {
    const clock = createManualClock();
    let fired = 0;
    clock.setTimer(() => (fired += 1), 100);
    await clock.advance(99.999);
    expect(fired).toBe(0);
    await clock.advance(0.001);
    expect(fired).toBe(1);
    await clock.advance(1000);
    expect([fired, clock.timers]).toEqual([1, 0]);
  });

  it('do not fire once cancelled, even by a timer due at the same moment', async () => {
    const clock = createManualClock();
    const fired: string[] = [];
    const early = clock.setTimer(() => fired.push('early'), 10);
    clock.setTimer(() => later.cancel(), 20);
    const later = clock.setTimer(() => fired.push('later'), 20);
    early.cancel();
    early.cancel();
    expect(clock.timers).toBe(2);
    await clock.advance(50);
    later.cancel();
    expect([fired, clock.timers]).toEqual([[], 0]);
  });

  it('armed while firing fire too when they fall due in the same advance', async () => {
    const clock = createManualClock();
    const ticks: number[] = [];
    const tick = (): void => {
      ticks.push(clock.monotonic());
      clock.setTimer(tick, 10);
    };
    clock.setTimer(tick, 10);
    await clock.advance(35);
    expect(ticks).toEqual([10, 20, 30]);
    expect(clock.timers).toBe(1);
  });

  it('re-armed with no delay move time on by 1 ms, as on the machine', async () => {
    const clock = createManualClock();
    let fired = 0;
    const again = (): void => {
      fired += 1;
      clock.setTimer(again, 0);
    };
    clock.setTimer(again, Number.NaN);
    await clock.advance(5);
    expect(fired).toBe(5);
  });

  it('may lie further away than a timer of Node can', async () => {
    const clock = createManualClock();
    let fired = false;
    clock.setTimer(() => (fired = true), 2 ** 40);
    await clock.advance(2 ** 40 - 1);
    expect(fired).toBe(false);
    await clock.advance(1);
    expect(fired).toBe(true);
  });

  it('that throw make advance reject, at the moment they threw', async () => {
    const clock = createManualClock();
    clock.setTimer(() => {
      throw new Error('from the timer');
    }, 10);
    await expect(clock.advance(100)).rejects.toThrow('from the timer');
    expect(clock.monotonic()).toBe(10);
    await clock.advance(5);
    expect(clock.monotonic()).toBe(15);
  });

  it('are moved by one advance at a time', async () => {
    const clock = createManualClock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toThrow('still running');
    await first;
    expect(clock.monotonic()).toBe(10);
  });
});

describe('between two timers', () => {
  it('promise reactions run, however many steps they take, and see the due time', async () => {
    const clock = createManualClock();
    const seen: number[] = [];
    const worker = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        await sleep(clock, 10);
        for (let step = 0; step < 50; step += 1) await Promise.resolve();
        seen.push(clock.monotonic());
      }
    };
    const done = worker();
    await clock.advance(30);
    expect(seen).toEqual([10, 20, 30]);
    await done;
  });

  it('what was already under way arms its timer before time moves', async () => {
    const clock = createManualClock();
    let fired = 0;
    void Promise.resolve().then(() => clock.setTimer(() => (fired += clock.monotonic()), 10));
    await clock.advance(10);
    expect(fired).toBe(10);
  });

  it('afterPoll callbacks run, also those that an afterPoll callback asks for', async () => {
    const clock = createManualClock();
    const seen: string[] = [];
    clock.setTimer(() => {
      clock.afterPoll(() => {
        seen.push(`first at ${clock.monotonic()}`);
        clock.afterPoll(() => seen.push(`second at ${clock.monotonic()}`));
      });
    }, 10);
    clock.setTimer(() => seen.push('next timer'), 11);
    await clock.advance(20);
    expect(seen).toEqual(['first at 10', 'second at 10', 'next timer']);
  });

  it('afterPoll works without any advance', async () => {
    const clock = createManualClock();
    await new Promise<void>((resolve) => clock.afterPoll(resolve));
    expect(clock.monotonic()).toBe(0);
  });
});
