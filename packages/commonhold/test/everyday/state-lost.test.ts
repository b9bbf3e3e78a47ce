import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState, type SharedState, type StoreLoss } from '../../src/index.js';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.js';
import { eventually, pause, waitUntil } from '../../src/testing/waiting.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** How long after a loss, or after the return, it must be known; a busy machine may be late. */
const seen = { timeoutMs: 8_000 };

describe('a store that lost what it had acknowledged', { timeout: 60_000 }, () => {
  const opened: SharedState[] = [];
  let server: RedisServer;
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'commonhold-lost-'));
    server = await startRedisServer({ dir: directory });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((state) => state.close()));
    await server.stop();
    await rm(directory, { recursive: true });
  });

  async function open(): Promise<{ state: SharedState; losses: StoreLoss['kind'][] }> {
    const state = await openState({ namespace: 'lost', redis: server.url, log });
    const losses: StoreLoss['kind'][] = [];
    state.on('stateLost', ({ kind, node }) => void losses.push(node === `127.0.0.1:${server.port}` ? kind : 'empty'));
    opened.push(state);
    return { state, losses };
  }

  /** What each process does, while nothing breaks the link, to be right again. */
  async function populate(state: SharedState) {
    const resyncs: string[] = [];
    await state.owners.hold('work');
    const presence = state.presence('p');
    await presence.join({ id: state.owner, region: 'r' });
    const channel = state.channel<string>('c');
    await channel.publish('before');
    await channel.subscribe(() => undefined, { onResync: () => void resyncs.push('channel') });
    const cache = state.cache<string>('k', { ttl: '1h', near: true });
    await cache.set('key', 'old');
    await cache.get('key');
    const map = state.map<string>('m', { changes: true });
    await map.set('key', 'old');
    const replica = await map.replica();
    const sessions = state.sessions('s', {});
    const { token } = await sessions.create({ user: 'ada' });
    const ended: string[] = [];
    await sessions.watch(token, (reason) => void ended.push(reason));
    return { presence, cache, replica, resyncs, ended };
  }

  it('is told of within 5 s of FLUSHALL, and everything is right again without a break of the link', async () => {
    const { state, losses } = await open();
    const other = await open();
    const { presence, cache, replica, resyncs, ended } = await populate(state);
    await waitUntil('what is near', () => cache.peek('key') === 'old');
    await server.command('FLUSHALL');
    await waitUntil('the loss', () => losses.length > 0 && other.losses.length > 0, seen);
    await eventually(async () => expect(await presence.count('r')).toBe(1), seen);
    await eventually(async () => {
      const owners = await other.state.owners.list();
      expect(owners.flatMap(({ holds }) => holds.map(({ name }) => name))).toEqual(['work']);
    }, seen);
    await waitUntil('all to be told', () => resyncs.length > 0 && ended.length > 0, seen);
    expect(ended).toEqual(['absent']);
    expect(cache.peek('key')).toBeUndefined();
    await waitUntil('the replica to be empty', () => replica.size === 0, seen);
    await pause(100);
    expect([losses, other.losses, resyncs]).toEqual([['empty'], ['empty'], ['channel']]);
    await eventually(async () => expect(state.status()).toMatchObject({ connected: true, processes: 2 }), seen);
  });

  it('by a restart without data is told of once, when it is back', async () => {
    const { state, losses } = await open();
    const { presence, replica, resyncs, ended } = await populate(state);
    await server.restart();
    await waitUntil('the loss', () => losses.length > 0, seen);
    await eventually(async () => expect(await presence.count('r')).toBe(1), seen);
    await waitUntil('all to be told', () => resyncs.length > 0 && ended.length > 0 && replica.size === 0, seen);
    expect([losses, resyncs]).toEqual([['empty'], ['channel']]);
  });

  it('by going back to an older copy is told of, and what was held, joined and kept since is put back', async () => {
    const { state, losses } = await open();
    await state.owners.hold('before');
    const presence = state.presence('p');
    await presence.join({ id: 'early', region: 'r' });
    const map = state.map<string>('m', { changes: true });
    await map.set('key', 'old');
    const replica = await map.replica();
    await state.probe();
    await server.command('SAVE');
    await state.owners.hold('after');
    await presence.join({ id: 'late', region: 'r' });
    await map.set('key', 'new');
    await waitUntil('the replica', () => replica.get('key') === 'new');
    await state.probe();
    await server.restart();
    await waitUntil('the loss', () => losses.length > 0, seen);
    expect(losses).toEqual(['rolledBack']);
    await eventually(async () => expect(await presence.count('r')).toBe(2), seen);
    await eventually(async () => {
      const [owner] = await state.owners.list();
      expect(owner?.holds.map(({ name }) => name)).toEqual(['after', 'before']);
    }, seen);
    await waitUntil('the replica to follow', () => replica.get('key') === 'old', seen);
  });

  it('is not told of at the start, at a return with all its data, or when another process comes', async () => {
    await server.command('CONFIG', 'SET', 'appendonly', 'yes');
    const { state, losses } = await open();
    await state.counter('c').add(1);
    const other = await open();
    await waitUntil('the log', async () => String(await server.command('INFO')).includes('aof_rewrite_in_progress:0'));
    await server.stop();
    server = await startRedisServer({ port: server.port, dir: directory, args: ['--appendonly', 'yes'] });
    for (const one of [state, other.state]) await waitUntil('the connection', () => one.status().connected, seen);
    expect(await state.counter('c').get()).toBe(1);
    await pause(5_000);
    expect([...losses, ...other.losses]).toEqual([]);
  });

  it('is a state that is degraded while it takes no writes', async () => {
    const { state } = await open();
    const told: string[] = [];
    state.on('degraded', ({ reason }) => void told.push(reason));
    state.on('recovered', () => void told.push('recovered'));
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    const counter = state.counter('c', { away: 'throw' });
    await expect(counter.add(1)).rejects.toMatchObject({ code: 'Overloaded' });
    expect(await counter.get()).toBe(0);
    expect(state.status()).toMatchObject({ connected: true, refusing: 'the memory of Redis is full' });
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await waitUntil('the recovery', () => told.length > 1, seen);
    expect(told).toEqual(['the memory of Redis is full', 'recovered']);
  });
});
