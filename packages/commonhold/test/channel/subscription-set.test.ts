import { describe, expect, it } from 'vitest';
import { LocalBus } from '../../src/backend/memory/local-bus.js';
import { SubscriptionSet } from '../../src/channel/subscription-set.js';
import { createManualClock } from '../../src/testing/manual-clock.js';

describe('subscription set', () => {
  it('lets 64 reads run at once, and each of the others in its turn, failures too', async () => {
    const set = new SubscriptionSet(new LocalBus(), createManualClock());
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const reads = Array.from({ length: 500 }, (_, index) =>
      set.read(async () => {
        order.push(index);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        if (index % 7 === 0) throw new Error('no luck');
      }),
    );
    await Promise.allSettled(reads);
    expect([most, running]).toEqual([64, 0]);
    expect(order).toEqual(order.toSorted((left, right) => left - right));
    expect(order).toHaveLength(500);
  });

  it('tells its members since when messages may be missing: since the last read that succeeded was sent', async () => {
    const clock = createManualClock();
    let restored: () => void = () => undefined;
    let watchers = 0;
    const bus = {
      subscribe: () => Promise.resolve(() => undefined),
      onBroken: () => () => undefined,
      onRestored: (listener: () => void) => {
        watchers++;
        restored = listener;
        return () => void watchers--;
      },
    };
    const set = new SubscriptionSet(bus, clock);
    const told: number[] = [];
    const member = { interrupt: (sinceMs: number) => void told.push(sinceMs), close: () => set.remove(member) };
    set.add(member);
    restored();
    await clock.advance(100);
    await set.read(() => clock.advance(50));
    await clock.advance(1_000);
    await set.read(() => Promise.reject(new Error('away'))).catch(() => undefined);
    restored();
    expect(told).toEqual([-Infinity, 100]);
    await set.close();
    expect(watchers).toBe(0);
    expect(() => set.add(member)).toThrow(expect.objectContaining({ code: 'Closed' }));
  });
});
