import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('a unique set among faults', () => {
  const server = useServer();

  async function withState(work: (state: SharedState, proxy: FaultProxy) => Promise<void>): Promise<void> {
    await server().command('FLUSHALL');
    await using proxy = await startFaultProxy({ port: server().port });
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using state = await openState({ namespace: 'faults', redis: `redis://127.0.0.1:${proxy.port}`, log });
    await work(state, proxy);
  }

  const isBack = (state: SharedState) => (): Promise<boolean> =>
    state.probe().then(
      () => true,
      () => false,
    );

  it('H.1, F05: an add whose reply is lost may be done again, and adds nothing twice', () =>
    withState(async (state, proxy) => {
      for (const options of [{}, { ttl: '1h' }] as const) {
        const set = state.uniqueSet(`s${Object.keys(options).length}`, { ...options, away: 'throw' });
        await set.add('a');
        proxy.dropReplyThenReset();
        await expect(set.add(['a', 'b'])).rejects.toMatchObject({ code: 'OutcomeUnknown', retrySafe: true });
        await waitUntil('the connection', isBack(state));
        expect(await set.add(['a', 'b'])).toBe(0);
        expect(await set.count()).toBe(2);
      }
    }));

  it('F03: without Redis every call is refused at once, and nothing was done', () =>
    withState(async (state, proxy) => {
      const set = state.uniqueSet('s', { away: 'throw' });
      await set.add('a');
      proxy.refuse();
      await waitUntil('the loss to be seen', async () => !state.status().connected);
      const calls = [set.add('b'), set.has('a'), set.count(), set.page(), set.delete('a'), set.clear()];
      const startedAtMs = performance.now();
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'Unavailable' });
      expect(performance.now() - startedAtMs).toBeLessThan(100);
      await proxy.pass();
      await waitUntil('the connection', isBack(state));
      expect((await set.page()).members).toEqual(['a']);
    }));

  it('F12: scripts that the server lost are sent again', () =>
    withState(async (state) => {
      const set = state.uniqueSet('s', { ttl: '1h' });
      for (let round = 1; round <= 3; round++) {
        await server().command('SCRIPT', 'FLUSH');
        expect(await set.add(`m${round}`)).toBe(1);
      }
      await server().command('SCRIPT', 'FLUSH');
      expect(await set.clear()).toBe(3);
    }));

  it('F09: memory that is full refuses adds and still deletes and clears', () =>
    withState(async (state) => {
      for (const options of [{}, { ttl: '1h' }] as const) {
        const set = state.uniqueSet('ttl' in options ? 'timed' : 'endless', { ...options, away: 'throw' });
        await set.add(['a', 'b', 'c']);
        await server().command('CONFIG', 'SET', 'maxmemory', '1');
        try {
          await expect(set.add('d')).rejects.toMatchObject({ code: 'Overloaded' });
          expect(await set.delete('a')).toBe(1);
          expect(await set.clear()).toBe(2);
        } finally {
          await server().command('CONFIG', 'SET', 'maxmemory', '0');
        }
      }
    }));
});
