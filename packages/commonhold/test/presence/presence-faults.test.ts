import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { Membership } from '../../src/presence/membership.js';
import type { Presence } from '../../src/presence/presence.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { leakCheck } from '../../src/testing/leak-check.js';
import { eventually, pause, waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a presence whose server or link fails', { timeout: 40_000 }, () => {
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

  async function open(port: number = proxy.port): Promise<SharedState> {
    const state = await openState({ namespace: 'faults', redis: `redis://127.0.0.1:${port}`, log });
    states.push(state);
    await waitUntil('the connection', () => state.status().connected);
    return state;
  }

  const join = (presence: Presence, count: number, name: string = 'm'): Promise<Membership[]> =>
    Promise.all(
      Array.from({ length: count }, (_, n) => presence.join({ id: `${name}${n}`, region: 'r', user: 'ada' })),
    );

  it('H.8: joins all members again within 5 s when the server lost its data', async () => {
    const [one, two] = [await open(), await open()];
    const [first, second] = [one.presence('p'), two.presence('p')];
    await Promise.all([join(first, 300, 'a'), join(second, 300, 'b')]);
    await one.owners.hold('work');
    await server().command('FLUSHALL');
    const seen = async (): Promise<void> => expect(await second.count('r')).toBe(600);
    await eventually(seen, { timeoutMs: 5_000 });
    expect((await first.user('ada')).members).toHaveLength(600);
    const owners = await two.owners.list();
    expect(owners.flatMap(({ holds }) => holds.map(({ name }) => name))).toEqual(['work']);
  });

  it('is whole again after the server was killed and came back empty', async () => {
    const presence = (await open()).presence('p');
    await join(presence, 50);
    await server().kill();
    await pause(500);
    await server().restart();
    await eventually(async () => expect(await presence.count('r')).toBe(50), { timeoutMs: 8_000 });
  });

  it('answers at once that the store is away; heartbeats ask for nothing, and who left is gone on return', async () => {
    const [state, other] = [await open(), await open(server().port)];
    const presence = state.presence('p', { away: 'throw' });
    const [staying, leaving] = await join(presence, 2);
    proxy.refuse();
    proxy.reset();
    await waitUntil('the break', () => !state.status().connected);
    const startedAtMs = performance.now();
    await expect(presence.join({ id: 'x' })).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(presence.count('r')).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(staying?.move({ region: 'q' })).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(leaving?.leave()).rejects.toMatchObject({ code: 'Unavailable' });
    await leaving?.leave();
    staying?.heartbeat();
    leaving?.heartbeat();
    expect(performance.now() - startedAtMs).toBeLessThan(100);
    expect(await other.presence('p').count('r')).toBe(2);
    await proxy.pass();
    const ids = async (): Promise<string[]> => (await other.presence('p').members('r')).map(({ id }) => id);
    await eventually(async () => expect(await ids()).toEqual(['m0']), { timeoutMs: 8_000 });
  });

  it('takes back a join whose answer was lost, and stays right through a hundred resets', async () => {
    const [state, other] = [await open(), await open(server().port)];
    const presence = state.presence('p', { away: 'throw' });
    const kept = new Set<string>();
    let lost = 0;
    for (let n = 0; n < 100; n++) {
      await waitUntil('the connection', () => state.status().connected);
      if (n % 3 === 0) proxy.dropReplyThenReset();
      await presence.join({ id: `m${n}`, region: 'r' }).then(
        ({ id }) => kept.add(id),
        () => lost++,
      );
    }
    expect(lost).toBeGreaterThan(20);
    const ids = async (): Promise<string[]> => (await other.presence('p').members('r')).map(({ id }) => id);
    await eventually(async () => expect(await ids()).toEqual([...kept].toSorted()), { timeoutMs: 10_000 });
  });

  it('hears every event once while its link is reset again and again', async () => {
    const [state, writer] = [await open(), await open(server().port)];
    const heard: string[] = [];
    let resyncs = 0;
    await state.presence('p').subscribe('r', ({ type, member }) => void heard.push(`${type} ${member.id}`), {
      onResync: () => void resyncs++,
    });
    const presence = writer.presence('p');
    const expected: string[] = [];
    for (let n = 0; n < 200; n++) {
      const membership = await presence.join({ id: `m${n}`, region: 'r' });
      await membership.leave();
      expected.push(`joined m${n}`, `left m${n}`);
      if (n % 20 === 0) proxy.reset();
    }
    await eventually(() => expect(heard).toEqual(expected), { timeoutMs: 8_000 });
    expect(resyncs).toBe(0);
  });

  it('lets members go on and leave, but nobody join, when memory is full', async () => {
    const state = await open();
    const presence = state.presence('p', { away: 'throw' });
    const [one, two] = await join(presence, 2);
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    await expect(presence.join({ id: 'x' })).rejects.toMatchObject({ code: 'Overloaded' });
    expect(await presence.count('r')).toBe(2);
    one?.heartbeat();
    const before = (await presence.get('m0'))?.lastActivityAtMs ?? Infinity;
    const active = async (): Promise<void> =>
      expect((await presence.get('m0'))?.lastActivityAtMs).toBeGreaterThan(before);
    await eventually(active, { timeoutMs: 6_000 });
    await two?.leave();
    expect(await presence.count('r')).toBe(1);
    await server().command('CONFIG', 'SET', 'maxmemory', '0');
  });

  it('finds its scripts again after SCRIPT FLUSH, in the middle of many calls', async () => {
    const presence = (await open()).presence('p');
    const members = await join(presence, 1_000);
    await server().command('SCRIPT', 'FLUSH');
    await Promise.all(members.map((member) => member.move({ region: 'q' })));
    expect([await presence.count('r'), await presence.count('q')]).toEqual([0, 1_000]);
  });

  it('does no change of a step where a region was spoiled by another program, and lets members out of it', async () => {
    const presence = (await open()).presence('p');
    const membership = await presence.join({ id: 'x', region: 'later' });
    const region = (name: string): string => `faults:presence:{p}:region:${name}`;
    await server().command('SET', region('bad'), 'spoiled');
    const all = await Promise.allSettled(['r', 'bad'].map((name) => presence.join({ id: name, region: name })));
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await presence.get('r')).toBeUndefined();
    await server().command('SET', region('later'), 'spoiled');
    await membership.leave();
    expect(await presence.get('x')).toBeUndefined();
    expect(await server().command('ZCARD', 'faults:presence:{p}:leases')).toBe(0);
  });

  it('leaves no timer behind where a member joins while it closes', async () => {
    const leaks = leakCheck();
    const state = await openState({ namespace: 'leaks', redis: server().url, log });
    const joining = join(state.presence('p'), 3).catch(() => undefined);
    await state.close();
    await joining;
    await pause(20);
    await leaks.assertNoLeak();
  });

  it('leaves no timer, socket or subscription behind', async () => {
    const leaks = leakCheck();
    const state = await openState({ namespace: 'leaks', redis: server().url, log });
    const presence = state.presence('p');
    await presence.subscribe('r', () => undefined);
    await join(presence, 3);
    await state.owners.hold('x');
    await state.owners.subscribe(() => undefined);
    await state.close();
    await leaks.assertNoLeak();
  });
});
