import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../src/log.js';
import type { SharedMap } from '../../src/map/map.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { leakCheck } from '../../src/testing/leak-check.js';
import { eventually, pause, waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const base = 'faults:map:{m}';
const increment = (value: number | undefined): number => (value ?? 0) + 1;

describe('a map among faults', () => {
  const server = useServer();
  const lines: string[] = [];
  const states: SharedState[] = [];
  let proxy: FaultProxy;

  beforeEach(async () => {
    await server().command('FLUSHALL');
    proxy = await startFaultProxy({ port: server().port });
    lines.length = 0;
  });

  afterEach(async () => {
    await Promise.all(states.splice(0).map((state) => state.close()));
    await proxy.stop();
  });

  async function open(port: number = server().port): Promise<SharedState> {
    const note = (_: object, message: string): void => void lines.push(message);
    const log: Log = { info: note, warn: note, error: note };
    // Longer than by default: a machine that is busy with other tests is no fault.
    const redis = { url: `redis://127.0.0.1:${port}`, deadline: '3s' } as const;
    const state = await openState({ namespace: 'faults', redis, log });
    states.push(state);
    return state;
  }

  const openMap = async (port?: number, changes: boolean = false): Promise<SharedMap<number>> =>
    (await open(port)).map<number>('m', { changes, away: 'throw' });

  it('an entry that cannot be read is an error, left out of pages with a line in the log, and replaced by a set', async () => {
    const map = await openMap();
    const spoiled: [bytes: string, code: string][] = [
      ['', 'CorruptState'],
      ['no header', 'CorruptState'],
      ['1|2|owner', 'CorruptState'],
      ['x||owner|1', 'CorruptState'],
      ['5||owner|', 'CorruptState'],
      ['5||owner|{"torn', 'CorruptState'],
      ['5||owner|\u001fnewer', 'UnknownForm'],
    ];
    for (const [bytes, code] of spoiled) {
      await map.set('good', 1);
      await server().command('HSET', base, 'k', bytes);
      await expect(map.get('k'), bytes).rejects.toMatchObject({ code });
      await expect(map.update('k', increment), bytes).rejects.toMatchObject({ code });
      expect(await map.add('k', 1)).toBe(false);
      expect(await map.get('good')).toBe(1);
      expect(await map.has('k')).toBe(true);
      await map.set('k', 7);
      expect(await map.update('k', increment)).toBe(8);
    }
    await server().command('HSET', base, 'k', '5||owner|{"torn');
    expect((await map.page()).entries.map(({ key }) => key)).toEqual(['good']);
    expect(lines).toContain('an entry cannot be read and is left out');
  });

  it('H.10: keys of another type are an error before anything is written', async () => {
    const map = await openMap(undefined, true);
    const writes = [
      () => map.set('k', 1),
      () => map.add('k', 1),
      () => map.update('k', () => 1),
      () => map.delete('k'),
    ];
    for (const key of [base, `${base}:expiry`, `${base}:changes`]) {
      await server().command('FLUSHALL');
      await server().command('SET', key, 'x');
      for (const write of writes) await expect(write()).rejects.toMatchObject({ code: 'CorruptState' });
      expect(await server().command('KEYS', `${base}*`)).toEqual([key]);
    }
  });

  it('memory that is full refuses sets, and still deletes, clears and ends', async () => {
    const map = await openMap(undefined, true);
    await map.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    await map.set('short', 1, { ttl: 50 });
    await pause(100);
    await server().command('CONFIG', 'SET', 'maxmemory', '1mb');
    try {
      expect(await map.get('short')).toBeUndefined();
      await expect(map.set('d', 1)).rejects.toMatchObject({ code: 'Overloaded' });
      await expect(map.add('d', 1)).rejects.toMatchObject({ code: 'Overloaded' });
      await expect(map.update('a', increment)).rejects.toMatchObject({ code: 'Overloaded' });
      expect(await map.delete('a')).toBe(true);
      expect(await map.clear()).toBe(2);
    } finally {
      await server().command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await map.count()).toBe(0);
  });

  it('H.20: an update whose answer is lost says so, and the next one goes on from what is there', async () => {
    const map = await openMap(proxy.port);
    expect(await map.update('k', increment)).toBe(1);
    proxy.dropReplyThenReset();
    await expect(map.update('k', increment)).rejects.toMatchObject({ code: 'OutcomeUnknown', retrySafe: false });
    const there = await (await openMap()).get('k');
    expect(there).toBe(2);
    await eventually(async () => expect(await map.update('k', increment)).toBe((there ?? 0) + 1));
  });

  it('H.8: an update after the data were lost does not take another value for the one it knew', async () => {
    const [one, two] = [await openMap(), await openMap()];
    for (let n = 0; n < 5; n++) await one.update('k', () => 100);
    await server().command('FLUSHALL');
    for (let n = 0; n < 5; n++) await two.set('k', 1);
    expect(await one.update('k', increment)).toBe(2);
  });

  it('an update after the data were rolled back does not take another value for the one it knew', async () => {
    const [one, two] = [await openMap(), await openMap()];
    await one.set('k', 1);
    await server().command('COPY', base, 'faults:snapshot:{m}');
    await one.update('k', () => 100);
    await server().command('COPY', 'faults:snapshot:{m}', base, 'REPLACE');
    // Versions go by the clock's milliseconds: no server comes back with older data within one.
    await pause(2);
    await two.set('k', 5);
    expect(await one.update('k', increment)).toBe(6);
  });

  it('updates of three processes whose connections break count none twice that was answered', async () => {
    const maps = await Promise.all([openMap(proxy.port), openMap(proxy.port), openMap()]);
    let done = 0;
    let unknown = 0;
    const work = maps.map(async (map) => {
      for (let n = 0; n < 200; n++) {
        try {
          await map.update('k', increment);
          done++;
        } catch (error) {
          if ((error as { code?: string }).code === 'OutcomeUnknown') unknown++;
          await pause(5);
        }
      }
    });
    const breaking = (async () => {
      for (let n = 0; n < 5; n++) {
        await pause(30);
        proxy.reset();
      }
    })();
    await Promise.all([...work, breaking]);
    const total = (await maps[2].get('k')) ?? 0;
    expect(total).toBeGreaterThanOrEqual(done);
    expect(total).toBeLessThanOrEqual(done + unknown);
  });

  it('a replica is right again after its link broke, whatever happened meanwhile', async () => {
    const writer = await openMap(undefined, true);
    await writer.setMany([
      ['kept', 1],
      ['deleted', 1],
      ['changed', 1],
    ]);
    const replica = await (await openMap(proxy.port, true)).replica();
    proxy.refuse();
    await writer.delete('deleted');
    await writer.set('changed', 2);
    await writer.set('added', 1);
    expect(replica.size).toBe(3);
    await proxy.pass();
    await eventually(() => expect(Object.fromEntries(replica)).toEqual({ kept: 1, changed: 2, added: 1 }));
    await writer.set('added', 2);
    await eventually(() => expect(replica.get('added')).toBe(2));
  });

  it('a replica is read anew when what it missed is gone, and shows the old copy until then', async () => {
    const writer = await openMap(undefined, true);
    await writer.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    const replica = await (await openMap(proxy.port, true)).replica();
    proxy.refuse();
    await writer.clear();
    await writer.setMany(Array.from({ length: 1_500 }, (_, n) => [`k${n}`, n] as const));
    await Promise.all(Array.from({ length: 1_100 }, (_, n) => writer.set(`k${n}`, n)));
    await writer.deleteMany(Array.from({ length: 1_000 }, (_, n) => `k${n}`));
    expect(Object.fromEntries(replica)).toEqual({ a: 1, b: 2 });
    await proxy.pass();
    await eventually(() => expect([replica.size, replica.get('k1000'), replica.has('a')]).toEqual([500, 1_000, false]));
  });

  it('a replica empties when the server loses its data, and fills again', async () => {
    const writer = await openMap(undefined, true);
    await writer.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    const replica = await (await openMap(undefined, true)).replica();
    await server().command('FLUSHALL');
    await writer.set('c', 3);
    await eventually(() => expect(Object.fromEntries(replica)).toEqual({ c: 3 }));
  });

  it('a replica bears what another program publishes, and entries that cannot be read', async () => {
    const writer = await openMap(undefined, true);
    await writer.set('a', 1);
    const replica = await (await openMap(undefined, true)).replica();
    const ids = String(await server().command('XREVRANGE', `${base}:changes`, '+', '-', 'COUNT', '1'));
    let last = /^\d+-\d+/.exec(ids)?.[0] ?? '';
    for (const body of [
      'null',
      '7',
      '{}',
      '{"version":1,"owner":"x","changes":[null]}',
      '{"torn',
      '{"version":1,"owner":2}',
    ]) {
      const id = String(await server().command('XADD', `${base}:changes`, '*', 'p', last, 'b', body));
      await server().command('PUBLISH', `${base}:changes`, `${last} ${id}\n${body}`);
      last = id;
    }
    await server().command('HSET', base, 'spoiled', 'x||y|{"torn');
    await writer.set('b', 2);
    await eventually(() => expect(Object.fromEntries(replica)).toEqual({ a: 1, b: 2 }));
  });

  it('a replica that cannot be read at once is refused, and leaves nothing behind', async () => {
    const leaks = leakCheck();
    const state = await open(proxy.port);
    const map = state.map<number>('m', { changes: true });
    await map.set('a', 1);
    proxy.refuse();
    await expect(map.replica()).rejects.toMatchObject({ code: 'Unavailable' });
    await proxy.pass();
    await waitUntil('the connection', () => state.status().connected);
    const replica = await map.replica();
    expect(replica.get('a')).toBe(1);
    await state.close();
    // The proxy listens anew since.
    expect(await leaks.grown()).toEqual(['server']);
  });
});

describe('the layout of a map', () => {
  const server = useServer();
  const cluster = useServer({ cluster: true });

  it('is a hash of header and readable JSON, and a sorted set only where entries end', async () => {
    await using state = await openState({ namespace: 'layout', redis: server().url, owner: 'box' });
    const map = state.map<object>('m');
    await map.set('k', { a: 1 });
    const version = (await map.getEntry('k'))?.version;
    expect(await server().command('HGET', 'layout:map:{m}', 'k')).toBe(`${version}||${state.owner}|{"a":1}`);
    expect(await server().command('HGET', 'layout:map:{m}', '')).toBe(String(version));
    expect(await server().command('KEYS', 'layout:map:*')).toEqual(['layout:map:{m}']);
    await map.set('k', { a: 2 }, { ttl: '1h' });
    const { expiresAtMs } = (await map.getEntry('k')) ?? {};
    expect(await server().command('ZSCORE', 'layout:map:{m}:expiry', 'k')).toBe(String(expiresAtMs));
    expect(await server().command('HGET', 'layout:map:{m}', 'k')).toContain(`|${expiresAtMs}|${state.owner}|{"a":2}`);
    expect(await server().command('KEYS', 'layout:map:*')).toHaveLength(2);
    await map.touch('k', Infinity);
    expect(await server().command('KEYS', 'layout:map:*')).toEqual(['layout:map:{m}']);
  });

  it('ends by itself an hour after the last entry, and never while one has no end', async () => {
    await server().command('FLUSHALL');
    await using state = await openState({ namespace: 'layout', redis: server().url });
    const map = state.map<number>('m');
    const life = async (): Promise<number> => Number(await server().command('PTTL', 'layout:map:{m}'));
    const around = (ms: number): object => expect.toSatisfy((left: number) => left > ms - 10_000 && left <= ms);
    await map.set('k', 1, { ttl: '1h' });
    expect(await life()).toEqual(around(2 * 3_600_000));
    await map.set('endless', 1);
    expect(await life()).toBe(-1);
    expect(await server().command('PTTL', 'layout:map:{m}:expiry')).toBe(-1);
    await map.delete('endless');
    expect(await life()).toEqual(around(2 * 3_600_000));
    await map.clear();
    expect(await life()).toEqual(around(3_600_000));
    await map.set('endless', 1);
    expect(await life()).toBe(-1);
  });

  it('documented: one string of readable JSON an entry, with native expiry, whatever its size', async () => {
    await server().command('FLUSHALL');
    await using state = await openState({ namespace: 'layout', redis: server().url });
    const map = state.map<object>('progress', { prefix: 'rose:progress', ttl: '2h' });
    await map.set('track:1', { status: 'done', text: 'x'.repeat(5_000) });
    const text = String(await server().command('GET', 'rose:progress:track%3A1'));
    expect(JSON.parse(text)).toEqual({ status: 'done', text: 'x'.repeat(5_000) });
    expect(Number(await server().command('PTTL', 'rose:progress:track%3A1'))).toBeGreaterThan(7_100_000);
    await map.set('k', { status: 'new' }, { ttl: Infinity });
    expect(await server().command('PTTL', 'rose:progress:k')).toBe(-1);
  });

  it('documented: what another program writes is read, and not lost in an update', async () => {
    await using state = await openState({ namespace: 'layout', redis: server().url });
    const map = state.map<{ count: number }>('m', { prefix: 'other' });
    await server().command('SET', 'other:k', '{ "count" : 1 }');
    expect(await map.get('k')).toEqual({ count: 1 });
    await map.update('k', (value) => ({ count: (value?.count ?? 0) + 1 }));
    await server().command('SET', 'other:k', '{"count":10}');
    expect(await map.update('k', (value) => ({ count: (value?.count ?? 0) + 1 }))).toEqual({ count: 11 });
    await server().command('DEL', 'other:k');
    await server().command('LPUSH', 'other:k', 'x');
    await expect(map.get('k')).rejects.toMatchObject({ code: 'CorruptState' });
    await expect(map.update('k', () => ({ count: 1 }))).rejects.toMatchObject({ code: 'CorruptState' });
  });

  it('documented: on a clustered server only with a tag', async () => {
    await using state = await openState({ namespace: 'layout', redis: cluster().url });
    await expect(state.map('m', { prefix: 'plain' }).get('k')).rejects.toMatchObject({ code: 'InvalidArgument' });
    await state.map('m', { prefix: '{plain}' }).set('k', 1);
    expect(await state.map('m', { prefix: '{plain}' }).getMany(['k', 'l'])).toEqual(new Map([['k', 1]]));
  });
});
