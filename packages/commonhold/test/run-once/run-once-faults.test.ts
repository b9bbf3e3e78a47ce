import { afterEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { startFaultProxy } from '../../src/testing/fault-proxy.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('run-once among faults', { timeout: 30_000 }, () => {
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

  it('a result is handed in again when the server was away for less than the lease', async () => {
    const state = await opened('blip');
    const run = state.runOnce<number>('r', { lease: '5s' });
    const result = await run.run('k', () => {
      server().pause();
      void pause(1_200).then(() => server().resume());
      return 7;
    });
    expect(result).toBe(7);
    expect(await run.get('k')).toMatchObject({ status: 'done', result: 7 });
  });

  it('a result that cannot be handed in until the lease is over is an error, in time', async () => {
    const state = await opened('away');
    const startedAt = performance.now();
    const running = state.runOnce<number>('r', { lease: '2s' }).run('k', () => {
      server().pause();
      return 7;
    });
    await expect(running).rejects.toMatchObject({ code: expect.stringMatching(/Unavailable|OutcomeUnknown/) });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  it('those who wait are refused when the server goes away', async () => {
    const [one, two] = [await opened('waiters'), await opened('waiters')];
    let begun: () => void = () => undefined;
    const working = new Promise<void>((resolve) => (begun = resolve));
    const first = one.runOnce('r', { lease: '2s' }).run('k', async ({ signal }) => {
      begun();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await working;
    const second = two.runOnce('r').run('k', () => 1);
    await eventually(async () => expect(await server().command('ZCARD', 'waiters:run-once:{r:k}:waiting')).toBe(1));
    server().pause();
    const stoppedAt = performance.now();
    await expect(second).rejects.toMatchObject({ code: 'Unavailable' });
    expect(performance.now() - stoppedAt).toBeLessThan(2_500);
    await expect(first).rejects.toMatchObject({ code: expect.stringMatching(/Unavailable|OutcomeUnknown/) });
  });

  it('a claim whose answer is lost is refused, and the next one runs', async () => {
    const proxy = await startFaultProxy({ port: server().port });
    const state = await opened('reply', `redis://127.0.0.1:${proxy.port}`);
    closing.push(() => proxy.stop());
    const other = await opened('reply');
    proxy.dropReplyThenReset();
    let ran = 0;
    const lost = state.runOnce('r', { lease: '2s' }).run('k', () => (ran += 1));
    await expect(lost).rejects.toMatchObject({ code: 'Unavailable' });
    expect(ran).toBe(0);
    expect(await other.runOnce<number>('r').run('k', () => 5, { wait: '4s' })).toBe(5);
  });

  it('memory that is full takes results, and no new runs', async () => {
    const state = await opened('full');
    const run = state.runOnce<string>('r');
    try {
      const result = await run.run('k', async () => {
        await server().command('CONFIG', 'SET', 'maxmemory', '1');
        return 'done';
      });
      expect(result).toBe('done');
      expect(await run.get('k')).toMatchObject({ status: 'done' });
      await expect(run.run('other', () => '')).rejects.toMatchObject({ code: 'Overloaded' });
      expect(await run.forget('k')).toBe(true);
    } finally {
      await server().command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });
});
