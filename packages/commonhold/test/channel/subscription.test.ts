import { describe, expect, it } from 'vitest';
import { ChannelSubscription, type Feed } from '../../src/channel/subscription.js';
import { SubscriptionSet } from '../../src/channel/subscription-set.js';
import { LocalBus } from '../../src/backend/memory/local-bus.js';
import type { FeatureContext } from '../../src/feature-context.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { seededRandom } from '../../src/testing/random.js';

const clock = createManualClock();
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
// What a subscription uses of it.
const context = { clock, random: seededRandom(1), log } as unknown as FeatureContext;
const listening = { listener: () => undefined, onResync: () => undefined, after: undefined };

function feedOf(parts: Partial<Feed<unknown>>): Feed<unknown> {
  const idle = { listen: async () => () => undefined, read: async () => [], newest: async () => undefined };
  const listenLocal = (): undefined => undefined;
  return { name: 'c', keepMs: 1_000, parse: () => undefined, decode: () => 0, listenLocal, ...idle, ...parts };
}

describe('channel subscription', () => {
  it('ends what it began when the state closes before it is open', async () => {
    const set = new SubscriptionSet(new LocalBus(), clock);
    let begun: (end: () => void) => void = () => undefined;
    let listeners = 1;
    const feed = feedOf({ listen: () => new Promise((resolve) => (begun = resolve)) });
    const opening = new ChannelSubscription(feed, listening, set, context).open();
    await set.close();
    begun(() => void listeners--);
    await opening;
    expect(listeners).toBe(0);
  });

  it('tries again after 25 ms to 2 s while reading fails, without haste', async () => {
    const set = new SubscriptionSet(new LocalBus(), clock);
    let reads = 0;
    const newest = (): Promise<undefined> => {
      reads++;
      return Promise.reject(new Error('no luck'));
    };
    const subscription = new ChannelSubscription(feedOf({ newest }), listening, set, context);
    await subscription.open();
    expect([reads, subscription.lastId]).toEqual([1, undefined]);
    await clock.advance(20_000);
    expect(reads).toBeGreaterThan(10);
    expect(reads).toBeLessThan(30);
    subscription.close();
    expect(clock.timers).toBe(0);
  });
});
