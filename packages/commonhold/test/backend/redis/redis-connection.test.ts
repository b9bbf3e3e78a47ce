import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../../src/testing/fault-proxy.js';
import { startRedisServer, type RedisServer } from '../../../src/testing/redis-server.js';
import { RespConnection } from '../../../src/testing/resp-connection.js';
import { pause, waitUntil } from '../../../src/testing/waiting.js';
import { useServer } from '../../engines.js';
import {
  cacheReading,
  connected,
  incrementScript,
  lost,
  mutating,
  outcome,
  reading,
  recovered,
  recordingLog,
  repeatable,
  timed,
} from './connected.js';
import { startSwitchboard } from './switchboard.js';

type Connection = Awaited<ReturnType<typeof connected>>;

const read = (connection: Connection): Promise<unknown> => connection.wire.command(reading, ['GET', 'k']);
const write = (connection: Connection): Promise<unknown> => connection.wire.command(mutating, ['SET', 'k', '1']);
const runScript = (connection: Connection): Promise<unknown> =>
  connection.wire.run(mutating, incrementScript, ['n'], []);

/** What a read, a write and a script come to. */
function outcomes(connection: Connection): Promise<unknown[]> {
  return Promise.all([outcome(read(connection)), outcome(write(connection)), outcome(runScript(connection))]);
}

/** While Redis is known to be away nobody waits for it. */
async function expectFastRefusals(connection: Connection): Promise<void> {
  await lost(connection);
  const { outcome: codes, fairMs } = await timed(
    Promise.all(
      [reading, mutating, repeatable, cacheReading].map((operation) =>
        outcome(connection.wire.command(operation, ['GET', 'k'])),
      ),
    ),
  );
  expect(codes).toEqual(['Unavailable', 'Unavailable', 'Unavailable', 'Unavailable']);
  expect(fairMs).toBeLessThan(5);
}

async function expectRecovery(connection: Connection): Promise<void> {
  await recovered(connection);
  expect(await outcome(write(connection))).toBe('OK');
  expect(await outcome(read(connection))).toBe('1');
}

describe('a server that stands still (SIGSTOP)', () => {
  it('is away after its calls timed out, and back without a new connection object', async () => {
    await using server = await startRedisServer();
    await using connection = await connected(server.url);
    server.pause();
    expect(await outcomes(connection)).toEqual(['Unavailable', 'OutcomeUnknown', 'OutcomeUnknown']);
    await expectFastRefusals(connection);
    server.resume();
    await expectRecovery(connection);
  });
});

describe('a server that was killed', () => {
  it('settles calls in flight at once, refuses further ones, and is found again after a restart', async () => {
    await using server = await startRedisServer();
    await using connection = await connected(server.url);
    server.pause();
    const inFlight = timed(outcomes(connection));
    await pause(50);
    await server.kill();
    const { outcome: codes, fairMs } = await inFlight;
    expect(codes).toEqual(['Unavailable', 'OutcomeUnknown', 'OutcomeUnknown']);
    expect(fairMs).toBeLessThan(200);
    await expectFastRefusals(connection);
    expect(connection.status()).toMatchObject({ connected: false, reason: expect.stringContaining('ECONN') as string });
    await server.restart();
    await expectRecovery(connection);
  });
});

describe('a network that swallows everything', () => {
  const server = useServer();

  it('is away within the deadline, on existing and new connections alike', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    proxy.blackhole();
    expect(await outcomes(connection)).toEqual(['Unavailable', 'OutcomeUnknown', 'OutcomeUnknown']);
    await expectFastRefusals(connection);
    const { outcome: opened, fairMs } = await timed(connected(`redis://127.0.0.1:${proxy.port}`));
    await using second = opened as Connection;
    expect(fairMs).toBeLessThan(600);
    expect(second.status()).toMatchObject({ connected: false });
    await expectFastRefusals(second);
    await proxy.pass();
    await expectRecovery(connection);
    await expectRecovery(second);
  });

  it('H.20: is noticed when connections are reset, half-closed or end in the middle of a reply', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    for (const fault of [() => proxy.reset(), () => proxy.halfClose(), () => proxy.truncateReply(2)]) {
      fault();
      await outcome(read(connection));
      await lost(connection);
      await expectRecovery(connection);
    }
  });

  it('that refuses connections is away at once', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    proxy.refuse();
    await expectFastRefusals(connection);
    const { outcome: opened, fairMs } = await timed(connected(`redis://127.0.0.1:${proxy.port}`));
    await using second = opened as Connection;
    expect(fairMs).toBeLessThan(100);
    await proxy.pass();
    await expectRecovery(connection);
    await expectRecovery(second);
  });

  it('that sends what is not Redis is away, with calls in flight settled', async () => {
    await using board = await startSwitchboard(server().port);
    await using connection = await connected(`redis://127.0.0.1:${board.port}`);
    server().pause();
    const inFlight = timed(outcomes(connection));
    board.inject('?what is this\r\n');
    const { outcome: codes, fairMs } = await inFlight;
    server().resume();
    expect(codes).toEqual(['Unavailable', 'OutcomeUnknown', 'OutcomeUnknown']);
    // At once, not with the next attempt to connect.
    expect(fairMs).toBeLessThan(40);
    await expectRecovery(connection);
  });
});

describe('a password', () => {
  async function locked(password: string): Promise<RedisServer> {
    const server = await startRedisServer();
    await server.command('CONFIG', 'SET', 'requirepass', password);
    return server;
  }

  it('that is missing degrades and says so, until it is not asked for any more', async () => {
    await using server = await locked('secret');
    await using connection = await connected(server.url);
    await expectFastRefusals(connection);
    expect(connection.status()).toMatchObject({ reason: 'Redis asks for a password' });
    await server.command('CONFIG', 'SET', 'requirepass', '');
    await expectRecovery(connection);
  });

  it('that is wrong degrades and says so, until it is right', async () => {
    await using server = await locked('secret');
    await using connection = await connected(`redis://:other@127.0.0.1:${server.port}`);
    await expectFastRefusals(connection);
    expect(connection.status()).toMatchObject({ reason: 'Redis refused the user name or password' });
    await server.command('CONFIG', 'SET', 'requirepass', 'other');
    await expectRecovery(connection);
  });

  it('that was rotated, or whose user was deleted, degrades until it is put back', async () => {
    await using server = await startRedisServer();
    const grant = (): Promise<unknown> => server.command('ACL', 'SETUSER', 'app', 'on', '>one', '~*', '&*', '+@all');
    await grant();
    await using connection = await connected(`redis://app:one@127.0.0.1:${server.port}`);
    expect(connection.status().connected).toBe(true);
    await server.command('ACL', 'DELUSER', 'app');
    await expectFastRefusals(connection);
    await waitUntil('the reason', () =>
      JSON.stringify(connection.status()).includes('refused the user name or password'),
    );
    await grant();
    await expectRecovery(connection);
  });
});

describe('a server that answers but cannot serve', () => {
  it('is unavailable while it loads, on old and new connections, and serves when it has loaded', async () => {
    const slow = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'];
    await using server = await startRedisServer({ args: slow });
    await using connection = await connected(server.url);
    await server.command('DEBUG', 'POPULATE', '1500');
    await server.command('SAVE');
    const restarted = server.restart();
    await lost(connection);
    const seen = new Set<string>();
    await waitUntil('LOADING to be answered', async () => {
      const error = await connection.wire.command(reading, ['GET', 'k']).then(String, (reason: Error) => reason);
      if (error instanceof Error) seen.add(error.message);
      return [...seen].some((message) => message.includes('loading'));
    });
    expect(await outcomes(connection)).toEqual(['Unavailable', 'Unavailable', 'Unavailable']);
    await restarted;
    await expectRecovery(connection);
  });

  it('is given up when it became a replica, since its successor may have its name, and used again as a master', async () => {
    await using server = await startRedisServer();
    await using connection = await connected(server.url);
    await server.command('REPLICAOF', '127.0.0.1', '1');
    expect(await outcome(write(connection))).toBe('Unavailable');
    await expectFastRefusals(connection);
    expect(connection.status()).toMatchObject({ reason: 'this Redis is a replica' });
    await pause(200);
    expect(connection.status()).toMatchObject({ reason: 'this Redis is a replica' });
    await server.command('REPLICAOF', 'NO', 'ONE');
    await expectRecovery(connection);
  });

  it('is left for the new master behind the same name, at the first refused write', async () => {
    await using master = await startRedisServer();
    await using successor = await startRedisServer();
    await using board = await startSwitchboard(master.port);
    await using connection = await connected(`redis://127.0.0.1:${board.port}`);
    board.target = successor.port;
    await master.command('REPLICAOF', '127.0.0.1', String(successor.port));
    expect(await outcome(write(connection))).toBe('Unavailable');
    await expectRecovery(connection);
    expect(await successor.command('GET', 'k')).toBe('1');
  });

  it('is overloaded, not broken, when its memory is full: reads and deletes go on', async () => {
    await using server = await startRedisServer();
    await using connection = await connected(server.url);
    await write(connection);
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await outcomes(connection)).toEqual(['1', 'Overloaded', 'Overloaded']);
    expect(await outcome(connection.wire.command(mutating, ['DEL', 'k']))).toBe(1);
    expect(connection.status().connected).toBe(true);
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await expectRecovery(connection);
  });

  it('is unavailable for writes when it cannot save to disk', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'commonhold-full-'));
    await using server = await startRedisServer({ dir: directory });
    await using connection = await connected(server.url);
    await server.command('CONFIG', 'SET', 'save', '3600 1');
    await rm(directory, { recursive: true });
    await server.command('BGSAVE');
    await waitUntil('the save to fail', async () =>
      String(await server.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
    );
    expect((await outcomes(connection)).slice(1)).toEqual(['Unavailable', 'Unavailable']);
    await server.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    await expectRecovery(connection);
  });

  it('is unavailable while a long script keeps it busy, and serves when the script was killed', async () => {
    await using server = await startRedisServer();
    await server.command('CONFIG', 'SET', 'busy-reply-threshold', '100');
    await using connection = await connected(server.url);
    await using side = Object.assign(await RespConnection.open(server.port), {
      [Symbol.asyncDispose]: () => server.restart(),
    });
    const endless = side.send('EVAL', 'while true do end', 0).catch(() => undefined);
    await pause(150);
    expect(await outcome(read(connection))).toBe('Unavailable');
    await expectFastRefusals(connection);
    await pause(200);
    expect(connection.status()).toMatchObject({ reason: 'Redis is busy with a long script' });
    await server.command('SCRIPT', 'KILL');
    await endless;
    await expectRecovery(connection);
  });

  it('is away when it has no place for another client, and taken when it has', async () => {
    await using server = await startRedisServer();
    // One for the connection of the server's own.
    await server.command('CONFIG', 'SET', 'maxclients', '1');
    await using connection = await connected(server.url);
    await expectFastRefusals(connection);
    expect(connection.status()).toMatchObject({
      reason: expect.stringMatching(/max number of clients|closed/i) as string,
    });
    await server.command('CONFIG', 'SET', 'maxclients', '100');
    await expectRecovery(connection);
  });
});

describe('a user with few rights', () => {
  it('is told which calls it may not make, and keeps its connection', async () => {
    await using server = await startRedisServer();
    await server.command('ACL', 'SETUSER', 'app', 'on', '>p', '~*', '&*', '+@all', '-incr', '-info');
    await using connection = await connected(`redis://app:p@127.0.0.1:${server.port}`);
    expect(await outcome(connection.wire.command(mutating, ['INCR', 'n']))).toBe('Unavailable');
    expect(connection.status()).toEqual({ kind: 'redis', connected: true, version: '', processes: 1 });
    await expectRecovery(connection);
  });

  it('is not promised that a script which stumbled over a right changed nothing', async () => {
    await using server = await startRedisServer();
    await server.command('ACL', 'SETUSER', 'app', 'on', '>p', '~*', '&*', '+@all', '-incr');
    await using connection = await connected(`redis://app:p@127.0.0.1:${server.port}`);
    expect(await outcome(runScript(connection))).toBe('OutcomeUnknown');
  });

  it('works without the right to subscribe, and the log says so', async () => {
    await using server = await startRedisServer();
    await server.command('ACL', 'SETUSER', 'app', 'on', '>p', '~*', 'resetchannels', '+@all');
    const log = recordingLog();
    await using connection = await connected(`redis://app:p@127.0.0.1:${server.port}`, { log });
    await connection.bus.subscribe('news', () => undefined);
    expect(log.lines.join('\n')).toMatch(/refused a subscription.*NOPERM/);
    await server.command('CLIENT', 'KILL', 'USER', 'app');
    await lost(connection);
    await expectRecovery(connection);
  });
});

describe('status', () => {
  it('H.3: warns of a policy by which Redis drops live keys', async () => {
    await using server = await startRedisServer({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const log = recordingLog();
    await using connection = await connected(server.url, { log });
    expect(connection.status()).toMatchObject({
      connected: true,
      warning: expect.stringContaining('noeviction') as string,
    });
    expect(log.lines.join()).toContain('allkeys-lru');
  });
});
