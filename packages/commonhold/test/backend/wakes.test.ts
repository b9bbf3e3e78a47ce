import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bus } from '../../src/backend/bus.js';
import { LocalBus } from '../../src/backend/memory/local-bus.js';
import { Wakes } from '../../src/backend/wakes.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';
import { seededRandom } from '../../src/testing/random.js';
import { eventLoopTurn } from '../../src/testing/waiting.js';

function fresh(): { clock: ManualClock; wakes: Wakes } {
  const clock = createManualClock();
  return { clock, wakes: new Wakes(clock, seededRandom(1)) };
}

/** Whether a wait has ended, looked at after everything that was due has run. */
async function ended(wait: Promise<void>): Promise<boolean> {
  let done = false;
  void wait.then(() => (done = true));
  await eventLoopTurn();
  return done;
}

describe('a waiter', () => {
  it('is woken by its topic and by no other', async () => {
    const { wakes, clock } = fresh();
    const wait = wakes.listen('a').wait();
    wakes.wake('b');
    expect(await ended(wait)).toBe(false);
    wakes.wake('a');
    expect(await ended(wait)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('does not wait at all when it was woken since the last wait, once', async () => {
    const { wakes } = fresh();
    const waiter = wakes.listen('a');
    wakes.wake('a');
    wakes.wake('a');
    expect(await ended(waiter.wait())).toBe(true);
    expect(await ended(waiter.wait())).toBe(false);
  });

  it('is one of several that hear the same', async () => {
    const { wakes } = fresh();
    const [one, two] = [wakes.listen('a'), wakes.listen('a')];
    const waits = [one.wait(), two.wait()];
    one.close();
    wakes.wake('a');
    expect(await ended(Promise.all(waits).then(() => undefined))).toBe(true);
    const second = two.wait();
    expect(await ended(second)).toBe(false);
    wakes.wake('a');
    expect(await ended(second)).toBe(true);
  });

  it('looks again within a second although the message was lost, at different times for different waiters', async () => {
    const { wakes, clock } = fresh();
    const times: number[] = [];
    for (let waiter = 0; waiter < 20; waiter++)
      void wakes
        .listen('a')
        .wait()
        .then(() => times.push(clock.monotonic()));
    await clock.advance(499);
    expect(times).toEqual([]);
    await clock.advance(501);
    expect(times).toHaveLength(20);
    expect(new Set(times).size).toBeGreaterThan(15);
  });

  it('waits no longer than asked, and not at all for what is past', async () => {
    const { wakes, clock } = fresh();
    const waiter = wakes.listen('a');
    const short = waiter.wait(30);
    await clock.advance(29);
    expect(await ended(short)).toBe(false);
    await clock.advance(1);
    expect(await ended(short)).toBe(true);
    for (const past of [0, -1, -1_000]) {
      const wait = waiter.wait(past);
      await clock.advance(1);
      expect(await ended(wait)).toBe(true);
    }
  });

  it('ends with its signal, before or during the wait, and leaves nothing behind', async () => {
    const { wakes, clock } = fresh();
    const waiter = wakes.listen('a');
    const controller = new AbortController();
    const wait = waiter.wait(undefined, controller.signal);
    expect(await ended(wait)).toBe(false);
    controller.abort();
    expect(await ended(wait)).toBe(true);
    expect(await ended(waiter.wait(undefined, controller.signal))).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('ends when the state closes', async () => {
    const { wakes, clock } = fresh();
    const waits = [wakes.listen('a').wait(), wakes.listen('b').wait()];
    wakes.close();
    expect(await ended(Promise.all(waits).then(() => undefined))).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('ends when it is closed itself', async () => {
    const { wakes, clock } = fresh();
    const waiter = wakes.listen('a');
    const wait = waiter.wait();
    waiter.close();
    waiter.close();
    expect(await ended(wait)).toBe(true);
    expect(clock.timers).toBe(0);
  });
});

describe('no wake is lost between the look and the wait', () => {
  it('in any order of the two sides', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 6 }), async (scheduler, target) => {
        // The clock stands still: no backstop helps.
        const { wakes } = fresh();
        let value = 0;
        const seen: number[] = [];
        const consume = async (): Promise<void> => {
          const waiter = wakes.listen('topic');
          for (;;) {
            const found = await scheduler.schedule(
              Promise.resolve().then(() => value),
              'look',
            );
            seen.push(found);
            if (found === target) return waiter.close();
            await waiter.wait();
          }
        };
        const produce = async (): Promise<void> => {
          for (let next = 1; next <= target; next++) {
            await scheduler.schedule(Promise.resolve(), 'write');
            value = next;
            await scheduler.schedule(Promise.resolve(), 'publish');
            wakes.wake('topic');
          }
        };
        const consumed = consume();
        void produce();
        await scheduler.waitFor(consumed);
        expect(seen.at(-1)).toBe(target);
      }),
      { numRuns: 300 },
    );
  });
});

describe('start', () => {
  it('hears the channel of the process until closed', async () => {
    const { wakes } = fresh();
    const bus = new LocalBus();
    await wakes.start(bus, 'app:wake:me');
    const waiter = wakes.listen('topic');
    const wait = waiter.wait();
    bus.publish('app:wake:you', 'topic');
    expect(await ended(wait)).toBe(false);
    bus.publish('app:wake:me', Buffer.from('topic'));
    expect(await ended(wait)).toBe(true);
    wakes.close();
    await waiter.wait();
    const afterwards = waiter.wait();
    bus.publish('app:wake:me', 'topic');
    expect(await ended(afterwards)).toBe(false);
  });

  it('wakes everyone when the link was broken: messages may be missing', async () => {
    const { wakes } = fresh();
    let restored: () => void = () => undefined;
    const bus: Bus = {
      subscribe: () => Promise.resolve(() => undefined),
      onBroken: () => () => undefined,
      onRestored: (listener) => {
        restored = listener;
        return () => (restored = () => undefined);
      },
    };
    await wakes.start(bus, 'c');
    const waits = [wakes.listen('a').wait(), wakes.listen('b').wait()];
    restored();
    expect(await ended(Promise.all(waits).then(() => undefined))).toBe(true);
    wakes.close();
    expect(restored()).toBeUndefined();
  });
});
