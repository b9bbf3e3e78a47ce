import { afterEach, describe, expect, it } from 'vitest';
import type { SharedMap } from '../../src/map/map.js';
import type { MapOptions } from '../../src/map/map-options.js';
import type { OpenOptions } from '../../src/options.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import type { StateConflict } from '../../src/state-events.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { eventually, waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const increment = (value: number | undefined): number => (value ?? 0) + 1;

const layouts: [name: string, options: MapOptions][] = [
  ['a map', { changes: true }],
  ['a map in the documented layout', { prefix: 'documented:m' }],
];

describe.each(layouts)('%s that comes back among faults', { timeout: 60_000 }, (_, options) => {
  const server = useServer();
  const states: SharedState[] = [];
  const proxies: FaultProxy[] = [];
  const whole = options.prefix === undefined;

  afterEach(async () => {
    await Promise.all(states.splice(0).map((state) => state.close()));
    await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
    await server().command('FLUSHALL');
  });

  async function open(port: number, more: OpenOptions = {}): Promise<SharedState> {
    const state = await openState({ namespace: 'n', redis: { url: `redis://127.0.0.1:${port}` }, log, ...more });
    states.push(state);
    return state;
  }

  /** A state behind a proxy, and another one that nothing happens to. */
  async function pair(more?: OpenOptions): Promise<{
    proxy: FaultProxy;
    state: SharedState;
    map: SharedMap<number>;
    there: SharedMap<number>;
    conflicts: StateConflict[];
  }> {
    const proxy = await startFaultProxy({ port: server().port });
    proxies.push(proxy);
    const state = await open(proxy.port, more);
    const conflicts: StateConflict[] = [];
    state.on('conflict', (conflict) => void conflicts.push(conflict));
    const there = (await open(server().port)).map<number>('m', options);
    return { proxy, state, map: state.map<number>('m', options), there, conflicts };
  }

  const back = (state: SharedState): Promise<void> =>
    waitUntil('all to be there', () => state.status().connected && !('journal' in state.status()), {
      timeoutMs: 20_000,
    });
  const gone = (state: SharedState): Promise<void> =>
    waitUntil('Redis to be away', () => !state.status().connected, { timeoutMs: 20_000 });

  it('MA: a write whose reply is lost is brought there again, and is no conflict with itself', async () => {
    const { proxy, state, map, there, conflicts } = await pair();
    await map.set('k', 1);
    for (const write of [
      () => map.set('k', 2),
      () => map.touch('k', '1h'),
      () => map.delete('k'),
      () => map.set('k', 3),
    ]) {
      proxy.dropReplyThenReset();
      await write();
      await back(state);
    }
    expect(await there.get('k')).toBe(3);
    expect(conflicts).toEqual([]);
  });

  it('MA: a replay whose reply is lost is told neither as a conflict nor twice', async () => {
    const { proxy, state, map, there, conflicts } = await pair();
    const heard: unknown[] = [];
    if (whole) await there.subscribe((change) => void (change.type === 'set' && heard.push(change.value)));
    await map.set('k', 1);
    await map.set('other', 1);
    proxy.refuse();
    await gone(state);
    await map.update('k', () => 4_711);
    await map.update('other', () => 4_712);
    let lost = 0;
    proxy.onRequest = (chunk) => {
      if (lost === 2 || !chunk.includes('4711')) return 'pass';
      lost++;
      return 'loseReply';
    };
    await proxy.pass();
    await waitUntil('replies to be lost', () => lost > 0, { timeoutMs: 20_000 });
    await back(state);
    expect(await there.get('k')).toBe(4_711);
    expect(await there.get('other')).toBe(4_712);
    expect(conflicts).toEqual([]);
    if (whole) await eventually(() => expect(heard.filter((value) => value === 4_711)).toHaveLength(1));
  });

  it('MA: what is written after a replay whose reply was lost follows it', async () => {
    const { proxy, state, map, there, conflicts } = await pair();
    await map.set('k', 1);
    proxy.refuse();
    await gone(state);
    await map.update('k', () => 4_711);
    let lost = false;
    proxy.onRequest = (chunk) => {
      if (lost || !chunk.includes('4711')) return 'pass';
      lost = true;
      return 'loseReply';
    };
    await proxy.pass();
    await waitUntil('the reply to be lost', () => lost, { timeoutMs: 20_000 });
    expect(await map.update('k', increment)).toBe(4_712);
    await back(state);
    expect(await there.get('k')).toBe(4_712);
    expect(conflicts).toEqual([]);
  });

  it('an update whose reply is lost stays unknown, and nothing is built on what it may have replaced', async () => {
    const { proxy, state, map, there, conflicts } = await pair();
    // The next one begins with what it wrote, and so is one command.
    await map.update('k', increment);
    proxy.dropReplyThenReset();
    await expect(map.update('k', increment)).rejects.toMatchObject({ code: 'OutcomeUnknown' });
    proxy.refuse();
    await gone(state);
    await expect(map.update('k', increment)).rejects.toMatchObject({ code: 'Unavailable' });
    await proxy.pass();
    await back(state);
    expect(await map.update('k', increment)).toBe(3);
    expect(await there.get('k')).toBe(3);
    expect(conflicts).toEqual([]);
  });

  it('a key that is written all the time comes back, and loses no update of its process', async () => {
    const { proxy, state, map, there, conflicts } = await pair();
    await map.set('k', 0);
    let updates = 0;
    let failed = 0;
    let over = false;
    const writing = (async () => {
      while (!over) {
        await map.update('k', increment).then(
          () => updates++,
          () => failed++,
        );
        // Away, updates do not wait for anything, and would keep timers from running.
        if ((updates + failed) % 50 === 0) await new Promise(setImmediate);
      }
    })();
    await waitUntil('some updates', () => updates > 100);
    proxy.refuse();
    await gone(state);
    const before = updates;
    await waitUntil('some more', () => failed > 0 || updates > before + 100);
    await proxy.pass();
    await back(state);
    const then = updates;
    await waitUntil('updates of what is there', () => updates > then + 20);
    over = true;
    await writing;
    const total = (await there.get('k')) ?? 0;
    // One at most was under way when the link broke.
    expect(total).toBeGreaterThanOrEqual(updates);
    expect(total).toBeLessThanOrEqual(updates + 1);
    expect(conflicts).toEqual([]);
  });

  it('takes writes up to the bound in bytes, of several together all or none', async () => {
    const { proxy, state, map, there } = await pair({ journal: { maxBytes: 50_000 } });
    proxy.refuse();
    await gone(state);
    await map.set('k0', 1);
    let taken = 1;
    for (;;) {
      const refused = await map.set(`k${taken}`, 1).then(
        () => undefined,
        (error: { code: string }) => error.code,
      );
      if (refused !== undefined) {
        expect(refused).toBe('Overloaded');
        break;
      }
      taken++;
    }
    expect(taken).toBeGreaterThan(50);
    if (whole) {
      const many = Array.from({ length: 10 }, (_, n) => [`m${n}`, 1] as const);
      await expect(map.setMany(many)).rejects.toMatchObject({ code: 'Overloaded' });
    }
    expect(state.status()).toMatchObject({ journal: { entries: taken } });
    await proxy.pass();
    await back(state);
    const found = await there.getMany(Array.from({ length: taken + 1 }, (_, n) => `k${n}`));
    expect(found.size).toBe(taken);
    expect(await there.has('m0')).toBe(false);
  });

  if (!whole) return;

  it('a replica is stale while its link is down, and then hears what was written meanwhile', async () => {
    const { proxy, state, map } = await pair();
    await map.set('k', 1);
    const replica = await map.replica();
    const heard: unknown[] = [];
    await map.subscribe((change) => void (change.type === 'set' && heard.push(change.value)));
    expect([replica.stale, replica.get('k')]).toEqual([false, 1]);
    proxy.refuse();
    await gone(state);
    await map.set('k', 2);
    expect([replica.stale, replica.get('k'), heard]).toEqual([true, 1, []]);
    await proxy.pass();
    await back(state);
    await eventually(() => expect([replica.stale, replica.get('k'), heard]).toEqual([false, 2, [2]]));
    replica.close();
    expect(replica.stale).toBe(true);
  });
});
