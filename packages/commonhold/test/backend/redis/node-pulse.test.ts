import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../../src/testing/fault-proxy.js';
import { startRedisServer } from '../../../src/testing/redis-server.js';
import { waitUntil } from '../../../src/testing/waiting.js';
import { useServer } from '../../engines.js';
import { connected, lost, mutating, outcome, reading, recordingLog, timed } from './connected.js';

type Connection = Awaited<ReturnType<typeof connected>>;

const write = (connection: Connection): Promise<unknown> => connection.wire.command(mutating, ['SET', 'k', '1']);
const refusing = (connection: Connection): string | undefined => {
  const status = connection.status();
  return status.kind === 'redis' && status.connected ? status.refusing : 'away';
};

describe('a server that takes no writes', () => {
  it('because its memory is full stays connected, says so at the first call, and is well when a pulse is taken', async () => {
    await using server = await startRedisServer();
    const log = recordingLog();
    await using connection = await connected(server.url, { log });
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await outcome(write(connection))).toBe('Overloaded');
    expect(refusing(connection)).toBe('the memory of Redis is full');
    expect(await outcome(connection.wire.command(reading, ['GET', 'k']))).toBeNull();
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await waitUntil('a pulse', () => refusing(connection) === undefined, { timeoutMs: 4_000 });
    expect(log.lines).toEqual([
      expect.stringMatching(/^Redis refuses writes.*memory/),
      expect.stringMatching(/^Redis takes writes again/),
    ]);
  });

  it('is found out by a pulse where nobody writes, also by that of a new connection', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'commonhold-pulse-'));
    await using server = await startRedisServer({ dir: directory });
    await using connection = await connected(server.url);
    await server.command('CONFIG', 'SET', 'save', '3600 1');
    await rm(directory, { recursive: true });
    await server.command('BGSAVE');
    await waitUntil('a pulse to be refused', () => refusing(connection) !== undefined, { timeoutMs: 8_000 });
    expect(refusing(connection)).toBe('Redis cannot save to disk and refuses writes');
    await using second = await connected(server.url);
    expect(second.status()).toMatchObject({
      connected: true,
      refusing: 'Redis cannot save to disk and refuses writes',
    });
  });
});

function every(ms: number, work: () => Promise<unknown>): AsyncDisposable {
  let under = Promise.resolve<unknown>(undefined);
  const timer = setInterval(() => void (under = work()), ms);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await under;
    },
  };
}

describe('a connection that is ready', () => {
  const server = useServer();

  it('is given up when for a second nothing was answered in time, though bytes arrive', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    // Something does arrive all the time, so that it does not hang.
    await connection.bus.subscribe('chatter', () => undefined);
    await using chatter = every(20, () => server().command('PUBLISH', 'chatter', 'x'));
    void chatter;
    proxy.delay(300);
    const calls = async (): Promise<void> => {
      while (connection.ready) await outcome(write(connection));
    };
    const { ms } = await timed(Promise.race([lost(connection), calls()]));
    expect(ms).toBeGreaterThan(900);
    expect(connection.status()).toMatchObject({ reason: 'Redis answers too slowly' });
    await proxy.pass();
    await waitUntil('the connection', () => connection.ready, { timeoutMs: 5_000 });
  });

  it('knows how many processes there are', async () => {
    await using one = await connected(server().url);
    const before = one.status();
    await using two = await connected(server().url);
    const [earlier, later] = [before, two.status()].map((status) => ('processes' in status ? status.processes : 0));
    expect(later).toBe((earlier ?? 0) + 1);
  });

  it('proves itself by a write that the server still knows of, and nothing lies about when it did', async () => {
    await using connection = await connected(server().url);
    await connection.probe();
    expect(await server().command('TTL', 'connected:epoch:{0}')).toBe(-1);
    expect(await server().command('TYPE', 'connected:epoch:{0}')).toBe('hash');
  });
});
