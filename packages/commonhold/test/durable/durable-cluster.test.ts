import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type RedisCluster, startRedisCluster } from '../../src/testing/redis-cluster.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { waitUntil } from '../../src/testing/waiting.js';

const durable = true;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

let cluster: RedisCluster;
let state: SharedState;
let master: RedisServer;
let replica: RedisServer;
beforeAll(async () => {
  cluster = await startRedisCluster({ masters: 1, replicas: 1, nodeTimeoutMs: 15_000 });
  [master, replica] = cluster.servers as [RedisServer, RedisServer];
  state = await openState({
    namespace: 'cut',
    away: 'throw',
    redis: { cluster: cluster.urls, deadline: '5s' },
    environment: {},
    log,
  });
});
afterAll(async () => {
  await state?.close();
  await cluster?.stop();
});

/** Has the confirmation of `call` cut off, as a master does to all who wait when it steps down. */
async function cutOff<Result>(call: () => Promise<Result>): Promise<Result> {
  await state.queue('warm').add(1, { durable });
  replica.pause();
  const result = call();
  try {
    let id: string | undefined;
    await waitUntil('the call to wait', async () => {
      const clients = String(await master.command('CLIENT', 'LIST'));
      id = /^id=(\d+) .* flags=\w*b\w* .* cmd=wait /m.exec(clients)?.[1];
      return id !== undefined;
    });
    await master.command('CLIENT', 'KILL', 'ID', String(id));
  } finally {
    replica.resume();
  }
  return result;
}

describe('durable, when the confirmation is cut off', () => {
  it('a job is confirmed by asking again, and was added once', async () => {
    const queue = state.queue('q');
    expect(await cutOff(() => queue.add(1, { durable }))).toBeDefined();
    expect(await queue.counts()).toMatchObject({ pending: 1 });
  });

  it('a revocation is confirmed, with the answer of the first time', async () => {
    const sessions = state.sessions('s');
    const { token } = await sessions.create({ user: 'ada' });
    expect(await cutOff(() => sessions.revoke(token, { durable }))).toBe(true);
    await sessions.create({ user: 'eve' });
    expect(await cutOff(() => sessions.revokeAll('eve', { durable }))).toBe(1);
  });

  it('a lock is given once', async () => {
    const lock = state.lock('l', { durable });
    const held = await cutOff(() => lock.tryAcquire());
    expect(await lock.status()).toMatchObject({ held: true, token: held?.guard.token });
    expect(await held?.release()).toBe(true);
  });
});
