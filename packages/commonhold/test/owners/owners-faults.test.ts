import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { eventually, waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('owners whose link fails', { timeout: 40_000 }, () => {
  const server = useServer();
  const states: SharedState[] = [];
  let proxy: FaultProxy;
  beforeEach(async () => {
    await server().command('FLUSHALL');
    proxy = await startFaultProxy({ port: server().port });
  });
  afterEach(async () => {
    await Promise.all(states.splice(0).map((state) => state.close()));
    await proxy.stop();
  });

  async function open(port: number, owner: string): Promise<SharedState> {
    const state = await openState({ namespace: 'faults', redis: `redis://127.0.0.1:${port}`, owner, log });
    states.push(state);
    await waitUntil('the connection', () => state.status().connected);
    return state;
  }

  it('a first call that fails is made again by the next', async () => {
    const state = await open(proxy.port, 'a');
    proxy.refuse();
    proxy.reset();
    await waitUntil('the break', () => !state.status().connected);
    await expect(state.owners.list()).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(state.owners.hold('x')).rejects.toMatchObject({ code: 'Unavailable' });
    await proxy.pass();
    await waitUntil('the connection', () => state.status().connected);
    await state.owners.hold('x');
    const [live] = await state.owners.list();
    expect(live?.holds.map(({ name }) => name)).toEqual(['x']);
  });

  it('what was released while the store was away is released when it is back', async () => {
    const [state, other] = [await open(proxy.port, 'a'), await open(server().port, 'b')];
    const hold = await state.owners.hold('x');
    proxy.refuse();
    proxy.reset();
    await waitUntil('the break', () => !state.status().connected);
    await expect(hold.release()).rejects.toMatchObject({ code: 'Unavailable' });
    await hold.release();
    await proxy.pass();
    const held = async (): Promise<number> => (await other.owners.list()).flatMap(({ holds }) => holds).length;
    await eventually(async () => expect(await held()).toBe(0), { timeoutMs: 8_000 });
    expect(await other.owners.orphans()).toEqual([]);
  });

  it('a hold or take-over whose answer was lost leaves nothing held by nobody', async () => {
    const [state, other] = [await open(proxy.port, 'a'), await open(server().port, 'b')];
    await state.owners.list();
    proxy.dropReplyThenReset();
    await expect(state.owners.hold('x')).rejects.toMatchObject({ code: 'OutcomeUnknown', retrySafe: true });
    const held = async (): Promise<string[]> =>
      (await other.owners.list()).flatMap(({ holds }) => holds.map(({ name }) => name));
    await eventually(async () => expect(await held()).toEqual([]), { timeoutMs: 8_000 });

    for (let round = 0; round < 5; round++) {
      const dead = await open(server().port, 'dead');
      await dead.owners.hold('y');
      await dead.close();
      await waitUntil('the connection', () => state.status().connected);
      proxy.dropReplyThenReset();
      await state.owners
        .takeOver('y')
        .catch(() => undefined)
        .then((hold) => hold?.release());
      await waitUntil('the connection', () => state.status().connected);
      // Whether it ran or not, calling again is safe, and one of all has it.
      await eventually(async () => expect(await other.owners.list()).toHaveLength(2));
      const again = [await state.owners.takeOver('y'), await other.owners.takeOver('y')];
      expect(again.filter((hold) => hold !== undefined).length).toBeLessThanOrEqual(1);
      for (const hold of again) await hold?.release();
      expect(await held()).toEqual([]);
      expect(await other.owners.orphans()).toEqual([]);
    }
  });

  it('a server that is full lets owners beat, release and go', async () => {
    const state = await open(proxy.port, 'a');
    const hold = await state.owners.hold('x');
    await state.owners.hold('y');
    const before = (await state.owners.list())[0]?.lastBeatAtMs ?? Infinity;
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    await expect(state.owners.hold('z')).rejects.toMatchObject({ code: 'Overloaded' });
    await hold.release();
    const beaten = async (): Promise<void> =>
      expect((await state.owners.list())[0]?.lastBeatAtMs).toBeGreaterThan(before);
    await eventually(beaten, { timeoutMs: 6_000 });
    const id = state.owner;
    await state.close();
    await server().command('CONFIG', 'SET', 'maxmemory', '0');
    const later = await open(server().port, 'b');
    expect((await later.owners.orphans()).map(({ name, owner }) => [name, owner])).toEqual([['y', id]]);
  });
});
