import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, UnavailableError } from '../src/errors.js';
import { type Lease, leaseDurationMs, LeaseKeeper, reliableMs } from '../src/lease-keeper.js';
import { createManualClock, type ManualClock } from '../src/testing/manual-clock.js';

interface Held {
  readonly lease: Lease;
  /** When it was renewed, monotonic. */
  readonly renewedAtMs: number[];
  answer: () => Promise<boolean>;
  letGo: () => Promise<unknown>;
}

function hold(keeper: LeaseKeeper, clock: ManualClock, leaseMs: number): Held {
  const renewedAtMs: number[] = [];
  const held: Omit<Held, 'lease'> = { renewedAtMs, answer: async () => true, letGo: async () => undefined };
  const renew = (): Promise<boolean> => {
    renewedAtMs.push(clock.monotonic());
    return held.answer();
  };
  const lease = keeper.hold({
    what: 'Lock l',
    leaseMs,
    sentAtMs: clock.monotonic(),
    renew,
    letGo: () => held.letGo(),
  });
  return Object.assign(held, { lease });
}

const away = (): Promise<boolean> => Promise.reject(new UnavailableError('lock.renew', 'no connection'));

describe('a lease keeper', () => {
  it('renews at a third of the lease, for as long as it is held', async () => {
    const clock = createManualClock();
    const held = hold(new LeaseKeeper(clock), clock, 9_000);
    await clock.advance(12_000);
    expect(held.renewedAtMs).toEqual([3_000, 6_000, 9_000, 12_000]);
    held.lease.end();
    await clock.advance(60_000);
    expect(held.renewedAtMs).toHaveLength(4);
    expect(held.lease.signal.aborted).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it('has one timer for all, and brings leases of one length together', async () => {
    const clock = createManualClock();
    const keeper = new LeaseKeeper(clock);
    const all: Held[] = [];
    for (let n = 0; n < 100; n++) {
      all.push(hold(keeper, clock, 9_000));
      await clock.advance(10);
      expect(clock.timers).toBe(1);
    }
    await clock.advance(2_000);
    expect(all.map((held) => held.renewedAtMs)).toEqual(all.map(() => [3_000]));
    await keeper.close();
    expect(clock.timers).toBe(0);
  });

  it('does not renew a long lease as often as a short one', async () => {
    const clock = createManualClock();
    const keeper = new LeaseKeeper(clock);
    const [short, long] = [hold(keeper, clock, 3_000), hold(keeper, clock, 60_000)];
    await clock.advance(59_000);
    expect(short.renewedAtMs).toHaveLength(59);
    expect(long.renewedAtMs.length).toBeLessThanOrEqual(5);
    expect(long.lease.signal.aborted).toBe(false);
  });

  it('gives up a tenth of the lease before its end while the store is away, after trying again and again', async () => {
    const clock = createManualClock();
    const held = hold(new LeaseKeeper(clock), clock, 3_000);
    held.answer = away;
    await clock.advance(2_699);
    expect(held.renewedAtMs.length).toBeGreaterThan(4);
    expect(held.lease.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(held.lease.signal.reason).toMatchObject({ code: 'LeaseLost' });
    const tries = held.renewedAtMs.length;
    await clock.advance(60_000);
    expect(held.renewedAtMs).toHaveLength(tries);
  });

  it('counts from before the request was sent, not from its answer', async () => {
    const clock = createManualClock();
    const held = hold(new LeaseKeeper(clock), clock, 3_000);
    let answer: (renewed: boolean) => void = () => undefined;
    held.answer = () => new Promise((resolve) => (answer = resolve));
    await clock.advance(1_900);
    expect(held.renewedAtMs).toEqual([1_000]);
    held.answer = away;
    answer(true);
    await clock.advance(1_799);
    expect(held.lease.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(held.lease.signal.aborted).toBe(true);
  });

  it('tries a long lease again at a tenth of it, however often short ones are renewed beside it', async () => {
    const clock = createManualClock();
    const keeper = new LeaseKeeper(clock);
    const [short, long] = [hold(keeper, clock, 1_000), hold(keeper, clock, 60_000)];
    long.answer = away;
    await clock.advance(50_000);
    expect(short.lease.signal.aborted).toBe(false);
    expect(long.renewedAtMs.length).toBeGreaterThanOrEqual(5);
    expect(long.renewedAtMs.length).toBeLessThanOrEqual(8);
  });

  it('gives up although a renewal has no answer yet', async () => {
    const clock = createManualClock();
    const held = hold(new LeaseKeeper(clock), clock, 3_000);
    held.answer = () => new Promise(() => undefined);
    await clock.advance(2_700);
    expect(held.lease.signal.aborted).toBe(true);
  });

  it('is back in time after a short absence', async () => {
    const clock = createManualClock();
    const held = hold(new LeaseKeeper(clock), clock, 3_000);
    held.answer = away;
    await clock.advance(2_000);
    held.answer = async () => true;
    await clock.advance(60_000);
    expect(held.lease.signal.aborted).toBe(false);
  });

  it('tells a holder at once whose lease is another one’s, and not one that has ended it', async () => {
    const clock = createManualClock();
    const keeper = new LeaseKeeper(clock);
    const [held, ended] = [hold(keeper, clock, 3_000), hold(keeper, clock, 3_000)];
    held.answer = async () => false;
    ended.answer = async () => {
      ended.lease.end();
      return false;
    };
    await clock.advance(1_000);
    expect(held.lease.signal.reason).toMatchObject({ code: 'LeaseLost' });
    expect(ended.lease.signal.aborted).toBe(false);
  });

  it('says whether it can be relied on, without waiting for its timer or a renewal', async () => {
    const clock = createManualClock();
    const keeper = new LeaseKeeper(clock);
    const [kept, lost, closed] = [hold(keeper, clock, 3_000), hold(keeper, clock, 3_000), hold(keeper, clock, 3_000)];
    lost.answer = async () => false;
    await clock.advance(1_000);
    expect([kept, lost].map(({ lease }) => lease.reliable)).toEqual([true, false]);
    kept.lease.end();
    await keeper.close();
    expect([closed.lease.signal.aborted, closed.lease.reliable]).toEqual([true, true]);
    await clock.advance(2_699);
    expect([kept, closed].map(({ lease }) => lease.reliable)).toEqual([true, true]);
    await clock.advance(1);
    expect([kept, closed].map(({ lease }) => lease.reliable)).toEqual([false, false]);
  });

  it('goes by the monotonic clock: the wall clock may jump', async () => {
    const clock = createManualClock();
    const held = hold(new LeaseKeeper(clock), clock, 3_000);
    clock.jumpWall(3_600_000);
    await clock.advance(900);
    clock.jumpWall(-7_200_000);
    await clock.advance(5_000);
    expect(held.renewedAtMs).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(held.lease.signal.aborted).toBe(false);
  });

  it('tells all when it closes, and waits for them, but not for ever', async () => {
    const clock = createManualClock();
    const keeper = new LeaseKeeper(clock);
    const [quick, slow] = [hold(keeper, clock, 30_000), hold(keeper, clock, 30_000)];
    slow.letGo = () => new Promise(() => undefined);
    let closed = false;
    const closing = keeper.close().then(() => (closed = true));
    expect([quick, slow].map(({ lease }) => (lease.signal.reason as { code: string }).code)).toEqual([
      'Closed',
      'Closed',
    ]);
    await clock.advance(4_999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
    expect(clock.timers).toBe(0);
  });

  it('relies on a lease for less than it lasts, and refuses one below a second', () => {
    expect([1_000, 3_000, 10_000, 3_600_000].map(reliableMs)).toEqual([900, 2_700, 9_500, 3_599_500]);
    expect(leaseDurationMs('1s', 'lease')).toBe(1_000);
    for (const lease of [999, 0, -1, Infinity] as const) {
      expect(() => leaseDurationMs(lease, 'lease')).toThrow(InvalidArgumentError);
    }
  });
});
