import { afterEach, describe, expect, it } from 'vitest';
import type { Duration } from '../../src/duration.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('locks among faults', { timeout: 30_000 }, () => {
  const server = useServer();
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    server().resume();
    await Promise.all(closing.splice(0).map((close) => close()));
  });

  async function opened(namespace: string, url: string = server().url): Promise<SharedState> {
    const state = await openState({ namespace, redis: url, log });
    closing.push(() => state.close());
    return state;
  }

  async function proxied(namespace: string): Promise<[SharedState, FaultProxy]> {
    const proxy = await startFaultProxy({ port: server().port });
    const state = await opened(namespace, `redis://127.0.0.1:${proxy.port}`);
    closing.push(() => proxy.stop());
    return [state, proxy];
  }

  async function aborted(signal: AbortSignal): Promise<{ code: string }> {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return signal.reason as { code: string };
  }

  it('H.2: a server that hangs: the holder is told before its lease ends, others are refused in time', async () => {
    const state = await opened('hang');
    const askedAt = performance.now();
    const held = await state.lock('l', { lease: '2s' }).acquire();
    server().pause();
    const pausedAt = performance.now();
    await expect(state.lock('other').acquire()).rejects.toMatchObject({ code: 'Unavailable' });
    expect(performance.now() - pausedAt).toBeLessThan(1_000);
    await expect(state.lock('other').tryAcquire()).rejects.toMatchObject({ code: 'Unavailable' });
    expect((await aborted(held?.signal ?? AbortSignal.abort())).code).toBe('LeaseLost');
    const heldMs = performance.now() - askedAt;
    expect(heldMs).toBeGreaterThan(1_500);
    expect(heldMs).toBeLessThan(2_000);
    await expect(held?.release()).rejects.toMatchObject({ code: 'Unavailable' });
    server().resume();
    const again = await eventuallyAcquired(state, 'l', '2s');
    expect(again).toBeGreaterThan(Number(held?.guard.token));
  });

  it('those who wait are refused when the server goes away', async () => {
    const [holder, state] = [await opened('waiters'), await opened('waiters')];
    await holder.lock('l').acquire();
    const waiting = [state.lock('l').acquire(), state.lock('l').run(() => 1), state.runOnce('r').run('k', () => 1)];
    await waiting.pop();
    await eventually(async () => expect((await holder.lock('l').status()).waiting).toBe(2));
    const stoppedAt = performance.now();
    server().pause();
    for (const result of await Promise.allSettled(waiting)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'Unavailable' } });
    }
    expect(performance.now() - stoppedAt).toBeLessThan(2_500);
  });

  it('H.8: kill -9 and a restart without data: the old holder is told, the new token is larger', async () => {
    const state = await opened('kill');
    const held = await state.lock('l', { lease: '3s' }).acquire();
    await server().kill();
    await server().restart();
    const token = await eventuallyAcquired(state, 'l', '3s');
    expect(token).toBeGreaterThan(Number(held?.guard.token));
    expect((await aborted(held?.signal ?? AbortSignal.abort())).code).toBe('LeaseLost');
    expect(await held?.release()).toBe(false);
  });

  it('a network that goes dark: the old holder has stopped before the next begins', async () => {
    const [[state, proxy], other] = [await proxied('dark'), await opened('dark')];
    const held = await state.lock('l', { lease: '2s' }).acquire();
    let stoppedAt = Infinity;
    held?.signal.addEventListener('abort', () => (stoppedAt = performance.now()));
    const next = other.lock('l').acquire();
    proxy.blackhole();
    expect(await next).toBeDefined();
    expect(stoppedAt).toBeLessThan(performance.now());
    await proxy.pass();
  });

  it('work whose lock was lost rejects with LeaseLost, though it ended well', async () => {
    const [[state, proxy], other] = [await proxied('lost'), await opened('lost')];
    const working = state.lock('l', { lease: '1s' }).run(async ({ signal }) => {
      proxy.blackhole();
      await aborted(signal);
      await other.lock('l').acquire();
      await proxy.pass();
      await eventually(() => state.probe());
      return 'done';
    });
    await expect(working).rejects.toMatchObject({ code: 'LeaseLost' });
    expect((await other.lock('l').status()).held).toBe(true);
  });

  it('an outage shorter than the lease is ridden out', async () => {
    const [state, proxy] = await proxied('blip');
    const result = await state.lock('l', { lease: '3s' }).run(async ({ signal }) => {
      proxy.refuse();
      await pause(800);
      await proxy.pass();
      await pause(3_000);
      return signal.aborted;
    });
    expect(result).toBe(false);
  });

  it('H.20: an acquisition whose answer is lost is refused, and given back', async () => {
    const [[state, proxy], other] = [await proxied('reply'), await opened('reply')];
    proxy.dropReplyThenReset();
    await expect(state.lock('l', { lease: '2s' }).acquire()).rejects.toMatchObject({ code: 'Unavailable' });
    const held = await other.lock('l').acquire({ wait: '4s' });
    expect(held).toBeDefined();
  });

  it('memory that is full refuses locks, and renews and releases those there are', async () => {
    const state = await opened('full');
    const held = await state.lock('l', { lease: '1s' }).acquire();
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(state.lock('other').acquire()).rejects.toMatchObject({ code: 'Overloaded' });
      await pause(1_500);
      expect(held?.signal.aborted).toBe(false);
      expect(await held?.release()).toBe(true);
    } finally {
      await server().command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('memory that is full refuses readers and writers, and renews and releases those there are', async () => {
    const state = await opened('full-readers');
    const [one, other] = [state.readWriteLock('l', { lease: '1s' }), state.readWriteLock('m', { lease: '1s' })];
    const [reader, writer] = [await one.read.acquire(), await other.write.acquire()];
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(one.read.tryAcquire()).rejects.toMatchObject({ code: 'Overloaded' });
      await expect(state.readWriteLock('n').write.tryAcquire()).rejects.toMatchObject({ code: 'Overloaded' });
      await pause(1_500);
      expect([reader?.signal.aborted, writer?.signal.aborted]).toEqual([false, false]);
      expect([await reader?.release(), await writer?.release()]).toEqual([true, true]);
    } finally {
      await server().command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('a server that evicted when waiters end does not leave the lock to a dead one for ever', async () => {
    const [state, other] = [await opened('evicted'), await opened('evicted')];
    const held = await state.lock('l').acquire();
    await server().command('ZADD', 'evicted:lock:{l}:waiting', '0', 'dead#x:1');
    const waiting = other.lock('l').acquire({ wait: '4s' });
    await eventually(async () => expect((await state.lock('l').status()).waiting).toBe(1));
    await held?.release();
    expect(await waiting).toBeDefined();
  });

  it('a wake-up that is lost costs about a second', async () => {
    const [[state, proxy], holder] = [await proxied('wake'), await opened('wake')];
    const held = await holder.lock('l').acquire();
    const waiting = state.lock('l').acquire();
    await eventually(async () => expect((await holder.lock('l').status()).waiting).toBe(1));
    // The message is the next thing that reaches the waiting process.
    proxy.dropReplies(1);
    const releasedAt = performance.now();
    await held?.release();
    expect(await waiting).toBeDefined();
    expect(performance.now() - releasedAt).toBeLessThan(1_500);
  });

  async function eventuallyAcquired(state: SharedState, name: string, lease: Duration): Promise<number> {
    let token = 0;
    await eventually(async () => {
      const held = await state.lock(name, { lease }).tryAcquire();
      expect(held).toBeDefined();
      token = Number(held?.guard.token);
      await held?.release();
    });
    return token;
  }
});
