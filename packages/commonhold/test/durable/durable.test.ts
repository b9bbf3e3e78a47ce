import { afterEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.js';
import { waitUntil } from '../../src/testing/waiting.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const durable = true;
const deadline = 400;

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).toReversed()) await stop();
});

async function server(...args: string[]): Promise<RedisServer> {
  const started = await startRedisServer({ args });
  running.push(() => started.stop());
  return started;
}

async function open(at: RedisServer, deadlineMs: number = deadline): Promise<SharedState> {
  const redis = { url: at.url, deadline: deadlineMs };
  const state = await openState({ namespace: 'durable', away: 'throw', redis, environment: {}, log });
  running.push(() => state.close());
  return state;
}

/** A master with one replica that follows it, through a proxy. */
async function pair(): Promise<[master: RedisServer, replica: RedisServer, link: FaultProxy]> {
  const master = await server('--repl-diskless-sync-delay', '0');
  const link = await startFaultProxy({ port: master.port });
  running.push(() => link.stop());
  const replica = await server('--replicaof', '127.0.0.1', String(link.port));
  const isOnline = async (): Promise<boolean> => /slave0:.*state=online/.test(String(await master.command('INFO')));
  await waitUntil('the replica to follow', isOnline, { timeoutMs: 10_000 });
  return [master, replica, link];
}

/** Resolves when `call` has succeeded once: a replica that has just come may need a moment on a busy machine. */
function confirmed(call: () => Promise<unknown>): Promise<void> {
  return waitUntil('a durable call', () =>
    call().then(
      () => true,
      () => false,
    ),
  );
}

describe('durable, on a server that can prove nothing', () => {
  it.each([
    ['keeps no log', [], /no replica.*keeps no log/],
    ['syncs its log every second', ['--appendonly', 'yes'], /no replica.*not on disk before the answer/],
  ])('that %s, is refused, and nothing ran', async (_, args, message) => {
    const state = await open(await server(...args));
    const queue = state.queue('q');
    const refused = await queue.add(1, { durable }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'Unavailable', message: expect.stringMatching(message) as string });
    expect((refused as { advice: string }).advice).toMatch(/replica.*appendfsync always/);
    expect(await queue.counts()).toMatchObject({ pending: 0 });
    await expect(state.lock('l', { durable }).tryAcquire()).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await state.lock('l', { durable }).status()).toMatchObject({ held: false });
    const sessions = state.sessions('s');
    const { token } = await sessions.create();
    await expect(sessions.revoke(token, { durable })).rejects.toMatchObject({ code: 'Unavailable' });
    expect((await sessions.read(token)).session).toBeDefined();
  });
});

describe('durable, on a server without a replica that syncs each write', () => {
  it('outlives kill -9', async () => {
    const at = await server('--appendonly', 'yes', '--appendfsync', 'always');
    const state = await open(at, 2_000);
    const added = await Promise.all(Array.from({ length: 50 }, (_, n) => state.queue<number>('q').add(n, { durable })));
    await at.restart();
    await waitUntil('the state to be back', () => state.status().connected);
    for (const { id } of added) expect(await state.queue('q').get(id)).toBeDefined();
  });
});

describe('durable, on a server with a replica', { timeout: 60_000 }, () => {
  it('none of some hundred acknowledged writes is lost with the master, as others are', async () => {
    const [master, replica, link] = await pair();
    const state = await open(master, 2_000);
    const sessions = state.sessions('s');
    const users = await Promise.all(Array.from({ length: 100 }, (_, n) => sessions.create({ user: `u${n}` })));
    const added: string[] = [];
    const revoked: string[] = [];
    const held: string[] = [];
    const plain: string[] = [];
    // Each goes on until the master is gone.
    const again = async (work: (number: number) => Promise<void>): Promise<void> => {
      for (let number = 0; number < 2_000; number++) await work(number);
    };
    const settled = Promise.allSettled([
      ...Array.from({ length: 10 }, (_, n) =>
        again(async () => void added.push((await state.queue('q').add(n, { durable })).id)),
      ),
      again(async (n) => void (await state.lock(`l${n}`, { durable }).acquire(), held.push(`l${n}`))),
      ...users.map(async ({ token }) => (await sessions.revoke(token, { durable })) && revoked.push(token)),
    ]);
    await waitUntil('some acknowledgements', () => added.length > 300 && revoked.length > 20 && held.length > 10);
    // What the replica is not told any more is lost with the master.
    link.blackhole();
    for (let n = 0; n < 20; n++) plain.push((await state.queue('plain').add(n)).id);
    await master.kill();
    await settled;
    await replica.command('REPLICAOF', 'NO', 'ONE');
    const after = await open(replica, 2_000);
    const lost: string[] = [];
    for (const id of added) if ((await after.queue('q').get(id)) === undefined) lost.push(`job ${id}`);
    for (const token of revoked) if ((await after.sessions('s').read(token)).session) lost.push('revocation');
    for (const name of held) if (!(await after.lock(name).status()).held) lost.push(name);
    for (const id of plain) expect(await after.queue('plain').get(id)).toBeUndefined();
    console.log(`${added.length + revoked.length + held.length} durable writes acknowledged, ${lost.length} lost`);
    expect(lost).toEqual([]);
  });

  it('gives the right error by the deadline when the replica stands still, and the rest goes on', async () => {
    const [master, replica] = await pair();
    const state = await open(master);
    const queue = state.queue<number>('q');
    await confirmed(() => queue.add(0, { id: 'first', durable }));
    const { token } = await state.sessions('s').create({ user: 'ada' });
    replica.pause();
    try {
      const startedAtMs = performance.now();
      const calls = await Promise.allSettled([
        queue.add(1, { id: 'second', durable }),
        state.sessions('s').revoke(token, { durable }),
        ...Array.from({ length: 20 }, (_, n) => queue.add(n, { id: `more${n}`, durable })),
        state.lock('l', { durable }).tryAcquire(),
      ]);
      expect(performance.now() - startedAtMs).toBeLessThan(3 * deadline);
      const errors = calls.map((call) =>
        call.status === 'rejected' ? (call.reason as Error & { code: string }) : undefined,
      );
      expect(errors[0]).toMatchObject({ code: 'OutcomeUnknown', retrySafe: false });
      expect(errors[0]?.message).toMatch(/queue\.add may have run: the server has it, and nothing confirmed/);
      expect(errors[1]).toMatchObject({ code: 'OutcomeUnknown', retrySafe: true });
      expect(errors.map((error) => error?.code)).toEqual([
        ...Array.from({ length: 22 }, () => 'OutcomeUnknown'),
        'Unavailable',
      ]);
      expect(await queue.get('second')).toBeDefined();
      expect(await queue.add(3)).toBeDefined();
      await waitUntil('the lock to be given back', async () => !(await state.lock('l', { durable }).status()).held);
    } finally {
      replica.resume();
    }
    // Sent again, it is confirmed: the job that is there, and the revocation that has been.
    expect(await queue.add(1, { id: 'second', durable })).toMatchObject({ duplicate: true });
    expect(await state.sessions('s').revoke(token, { durable })).toBe(false);
  });

  it('is refused at once when the replica is gone, and taken again when one is back', async () => {
    const [master, replica] = await pair();
    const state = await open(master);
    await confirmed(() => state.queue('q').add(1, { durable }));
    await replica.kill();
    await waitUntil('the loss', async () => /connected_slaves:0/.test(String(await master.command('INFO'))));
    await state
      .queue('q')
      .add(2, { durable })
      .catch(() => undefined);
    const refused = await state
      .queue('q')
      .add(3, { durable })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'Unavailable', message: expect.stringMatching(/no replica/) as string });
    await replica.restart();
    await confirmed(() => state.queue('q').add(4, { durable }));
  });

  it('shares one WAIT among the callers of a moment, on a connection of its own', async () => {
    const [master] = await pair();
    const state = await open(master, 2_000);
    await state.queue('q0').add(0, { durable });
    await master.command('SCRIPT', 'FLUSH');
    const ignore = ['REPLCONF', 'INFO'];
    const commands = await countCommands(
      master,
      () => Promise.all(Array.from({ length: 100 }, (_, n) => state.queue(`q${n}`).add(n, { durable }))),
      { ignore },
    );
    expect(commands.filter((name) => name === 'WAIT')).toHaveLength(1);
    expect(await countCommands(master, () => state.queue('q0').add(1, { durable }), { ignore })).toEqual([
      expect.stringMatching(/^EVALSHA/),
      'SET',
      'WAIT',
    ]);
    const clients = String(await master.command('CLIENT', 'LIST', 'TYPE', 'normal'))
      .trim()
      .split('\n');
    const ours = clients.filter((line) => line.includes(' resp=3'));
    expect(ours.length).toBeLessThanOrEqual(2);
    await state.close();
    await waitUntil(
      'both to be closed',
      async () => !String(await master.command('CLIENT', 'LIST')).includes(' resp=3'),
    );
  });

  it('costs those nothing who do not ask for it', async () => {
    const [master] = await pair();
    const state = await open(master);
    await state.queue('q').add(0);
    const commands = await countCommands(master, () => state.queue('q').add(1), { ignore: ['REPLCONF'] });
    expect(commands).toHaveLength(1);
  });
});

describe('durable, in memory', () => {
  it('is taken: the store has it, and nothing outlives the process', async () => {
    const state = await openState({ redis: false });
    running.push(() => state.close());
    expect(await state.queue('q').add(1, { durable })).toBeDefined();
    expect(await state.lock('l', { durable }).tryAcquire()).toBeDefined();
    const { token } = await state.sessions('s').create();
    expect(await state.sessions('s').revoke(token, { durable })).toBe(true);
    expect(await state.sessions('s').revokeAll('ada', { durable })).toBe(0);
  });

  it.each([1, 'yes', null])('refuses %j', async (wrong) => {
    const state = await openState({ redis: false });
    running.push(() => state.close());
    const options = { durable: wrong } as unknown as { durable: boolean };
    await expect(state.queue('q').add(1, options)).rejects.toMatchObject({ code: 'InvalidArgument' });
    expect(() => state.lock('l', options)).toThrow(/durable/);
    await expect(state.sessions('s').revoke('t', options)).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});
