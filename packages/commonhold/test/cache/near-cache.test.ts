import { beforeEach, describe, expect, it } from 'vitest';
import { LocalBus } from '../../src/backend/memory/local-bus.js';
import { NearCache } from '../../src/cache/near-cache.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';

class BreakableBus extends LocalBus {
  breakLink: () => void = () => undefined;
  restoreLink: () => void = () => undefined;

  override onBroken(listener?: () => void): () => void {
    this.breakLink = listener ?? this.breakLink;
    return () => undefined;
  }

  override onRestored(listener?: () => void): () => void {
    this.restoreLink = listener ?? this.restoreLink;
    return () => undefined;
  }
}

describe('a near cache', () => {
  let clock: ManualClock;
  let bus: BreakableBus;
  let near: NearCache<string>;
  beforeEach(async () => {
    clock = createManualClock();
    bus = new BreakableBus();
    near = new NearCache<string>({ maxEntries: 100, maxBytes: 100_000, nearMs: 30_000 }, clock);
    near.open(bus, 'changes');
    await Promise.resolve();
    await Promise.resolve();
  });

  /** What a read keeps that `during` happens in. */
  async function read(
    key: string,
    value: string,
    during: () => unknown = () => undefined,
  ): Promise<string | undefined> {
    const fetch = near.begin(key);
    const sentAtMs = clock.monotonic();
    await during();
    near.keep(fetch, value, value.length, sentAtMs, Infinity);
    near.end(fetch);
    return near.get(key)?.value;
  }

  async function announce(key: string): Promise<void> {
    bus.publish('changes', `cache:c:${key}`);
    await Promise.resolve();
  }

  it('keeps what was read, until it changes', async () => {
    expect(await read('k', 'v')).toBe('v');
    await announce('other');
    expect(near.get('k')?.value).toBe('v');
    await announce('k');
    expect(near.get('k')).toBeUndefined();
  });

  it('does not keep a read that a change overtook, whoever changed it', async () => {
    expect(await read('k', 'old', () => announce('k'))).toBeUndefined();
    expect(await read('k', 'old', () => near.forget('k'))).toBeUndefined();
    expect(await read('k', 'old', () => near.forgetAll())).toBeUndefined();
    expect(await read('k', 'new', () => announce('other'))).toBe('new');
  });

  it('tells a read sent after a change from one that was sent before', async () => {
    const before = near.begin('k');
    near.forget('k');
    const after = near.begin('k');
    near.keep(after, 'new', 3, 0, Infinity);
    near.end(after);
    near.keep(before, 'old', 3, 0, Infinity);
    near.end(before);
    expect(near.get('k')?.value).toBe('new');
  });

  it('drops everything when the link breaks, keeps nothing without it, and begins anew', async () => {
    await read('k', 'v');
    bus.breakLink();
    expect(near.get('k')).toBeUndefined();
    expect(await read('k', 'v')).toBeUndefined();
    expect(await read('k', 'v', () => bus.restoreLink())).toBeUndefined();
    expect(await read('k', 'v')).toBe('v');
  });

  it('keeps nothing for longer than it may, counted from when the read was sent', async () => {
    await read('k', 'v', () => clock.advance(20_000));
    await clock.advance(10_000);
    expect(near.get('k')?.value).toBe('v');
    await clock.advance(1);
    expect(near.get('k')).toBeUndefined();
  });

  it('hears nothing and keeps nothing once closed', async () => {
    await read('k', 'v');
    near.close();
    expect(near.get('k')).toBeUndefined();
    expect(await read('k', 'v')).toBeUndefined();
    bus.restoreLink();
    expect(await read('k', 'v')).toBeUndefined();
  });
});
