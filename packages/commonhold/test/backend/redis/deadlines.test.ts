import { describe, expect, it } from 'vitest';
import { Deadlines, type PendingCall } from '../../../src/backend/redis/deadlines.js';
import type { DeadlineClass } from '../../../src/operation.js';
import { createManualClock, type ManualClock } from '../../../src/testing/manual-clock.js';

const deadlineMs = { state: 500, cache: 100 };

class PlainCall implements PendingCall {
  readonly operation;
  readonly dueAtMs: number;
  settled = false;
  expiredAtMs: number | undefined;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, deadline: DeadlineClass) {
    this.#clock = clock;
    this.operation = { name: 'test', kind: 'read', away: 'refuse', deadline } as const;
    this.dueAtMs = clock.monotonic() + deadlineMs[deadline];
  }

  expire(): void {
    this.settled = true;
    this.expiredAtMs = this.#clock.monotonic();
  }
}

/** A clock whose timers can be held back, as they are while an event loop stands still. */
function stallingClock(): ManualClock & { stall(ms: number): Promise<void> } {
  const clock = createManualClock();
  let aheadMs = 0;
  return Object.create(clock, {
    monotonic: { value: () => clock.monotonic() + aheadMs },
    stall: {
      value: async (ms: number) => {
        aheadMs += ms;
        await clock.advance(10);
      },
    },
    advance: { value: (ms: number) => clock.advance(ms) },
    setTimer: { value: clock.setTimer.bind(clock) },
    timers: { get: () => clock.timers },
  }) as ManualClock & { stall(ms: number): Promise<void> };
}

describe('Deadlines', () => {
  it('expires each class in its own time, at most one sweep late', async () => {
    const clock = createManualClock();
    const deadlines = new Deadlines(clock, () => false);
    const state = new PlainCall(clock, 'state');
    const cache = new PlainCall(clock, 'cache');
    deadlines.add(state);
    deadlines.add(cache);
    await clock.advance(600);
    expect(cache.expiredAtMs).toBe(100);
    expect(state.expiredAtMs).toBe(500);
  });

  it('leaves alone what was settled in time', async () => {
    const clock = createManualClock();
    const deadlines = new Deadlines(clock, () => false);
    const calls = Array.from({ length: 3 }, () => new PlainCall(clock, 'cache'));
    for (const call of calls) deadlines.add(call);
    (calls[1] as PlainCall).settled = true;
    await clock.advance(200);
    expect(calls.map((call) => call.expiredAtMs)).toEqual([100, undefined, 100]);
  });

  it('keeps no timer when nothing waits, and one however many wait', async () => {
    const clock = createManualClock();
    const deadlines = new Deadlines(clock, () => false);
    expect(clock.timers).toBe(0);
    for (let call = 0; call < 100; call++) deadlines.add(new PlainCall(clock, 'cache'));
    expect(clock.timers).toBe(1);
    await clock.advance(110);
    expect(clock.timers).toBe(0);
    deadlines.add(new PlainCall(clock, 'cache'));
    expect(clock.timers).toBe(1);
    deadlines.close();
    expect(clock.timers).toBe(0);
  });

  it('stops soon after the last call was settled', async () => {
    const clock = createManualClock();
    const deadlines = new Deadlines(clock, () => false);
    const call = new PlainCall(clock, 'state');
    deadlines.add(call);
    call.settled = true;
    await clock.advance(10);
    expect(clock.timers).toBe(0);
  });

  it('goes on sweeping for as long as it is asked to, with or without calls', async () => {
    const clock = createManualClock();
    let sweeps = 0;
    const deadlines = new Deadlines(clock, () => ++sweeps < 5);
    deadlines.watch();
    deadlines.watch();
    await clock.advance(1_000);
    expect(sweeps).toBe(5);
    expect(clock.timers).toBe(0);
  });

  it('keeps its order through thousands of calls that come and go', async () => {
    const clock = createManualClock();
    const deadlines = new Deadlines(clock, () => false);
    const calls: PlainCall[] = [];
    for (let step = 0; step < 200; step++) {
      for (let call = 0; call < 50; call++) {
        const made = new PlainCall(clock, call % 2 === 0 ? 'state' : 'cache');
        deadlines.add(made);
        calls.push(made);
        if ((step + call) % 3 === 0) made.settled = true;
      }
      await clock.advance(7);
    }
    await clock.advance(600);
    for (const call of calls) {
      if (call.expiredAtMs === undefined) expect(call.settled).toBe(true);
      else expect(call.expiredAtMs - call.dueAtMs).toBeLessThanOrEqual(10);
    }
    expect(calls.filter((call) => call.expiredAtMs !== undefined).length).toBeGreaterThan(6_000);
    expect(clock.timers).toBe(0);
  });

  it('gives calls that fell due while the event loop stood still 30 ms more', async () => {
    const clock = stallingClock();
    const deadlines = new Deadlines(clock, () => false);
    const call = new PlainCall(clock, 'cache');
    deadlines.add(call);
    await clock.stall(300);
    expect(clock.monotonic()).toBe(310);
    await clock.advance(20);
    expect(call.settled).toBe(false);
    await clock.advance(10);
    expect(call.expiredAtMs).toBe(340);
  });

  it('settles in the next stall what was due before it, so that stalls in a row postpone nothing for ever', async () => {
    const clock = stallingClock();
    const deadlines = new Deadlines(clock, () => false);
    const early = new PlainCall(clock, 'cache');
    deadlines.add(early);
    await clock.stall(300);
    const later = new PlainCall(clock, 'cache');
    deadlines.add(later);
    await clock.stall(300);
    expect(early.settled).toBe(true);
    expect(later.settled).toBe(false);
    await clock.stall(300);
    expect(later.settled).toBe(true);
  });

  it('does not wait longer for calls that fell due before the stall', async () => {
    const clock = stallingClock();
    const deadlines = new Deadlines(clock, () => false);
    const call = new PlainCall(clock, 'cache');
    deadlines.add(call);
    await clock.advance(90);
    await clock.stall(15);
    expect(call.expiredAtMs).toBe(115);
  });

  it('tells the sweep how long ago the last one was', async () => {
    const clock = stallingClock();
    const gaps: number[] = [];
    const deadlines = new Deadlines(clock, (elapsedMs) => gaps.push(elapsedMs) < 3);
    deadlines.watch();
    await clock.advance(10);
    await clock.stall(50);
    await clock.advance(10);
    expect(gaps).toEqual([10, 60, 10]);
  });
});
