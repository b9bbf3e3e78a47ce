import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../src/testing/free-port.js';
import { startRedisServer, type RedisServer } from '../../src/testing/redis-server.js';
import { RespConnection } from '../../src/testing/resp-connection.js';
import { pause } from '../../src/testing/waiting.js';

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

async function directoryOf(server: RedisServer): Promise<string> {
  const reply = await server.command('CONFIG', 'GET', 'dir');
  return Array.isArray(reply) ? String(reply[1]) : '';
}

describe('a server of one’s own', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  it('runs as a process of its own, on its port, and answers', async () => {
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(server.processId).not.toBe(process.pid);
    expect(await server.command('INFO', 'server')).toContain(`process_id:${server.processId}\r\n`);
  });

  it('keeps nothing on disk, and lets tests use DEBUG', async () => {
    expect(await server.command('CONFIG', 'GET', 'save')).toEqual(['save', '']);
    expect(await server.command('CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'no']);
    expect(await server.command('DEBUG', 'SLEEP', 0)).toBe('OK');
  });

  it('answers replies of every kind', async () => {
    expect(await server.command('SET', 'key', 'välue')).toBe('OK');
    expect(await server.command('GET', 'key')).toBe('välue');
    expect(await server.command('GET', 'absent')).toBe(null);
    expect(await server.command('INCRBY', 'count', 5)).toBe(5);
    expect(await server.command('MGET', 'count', 'absent')).toEqual(['5', null]);
    await expect(server.command('LPUSH', 'key', 'x')).rejects.toThrow(/^WRONGTYPE/);
  });

  it('pauses with its connections open, and executes on resume what came meanwhile', async () => {
    server.pause();
    let answered = false;
    const reply = server.command('INCR', 'paused').finally(() => (answered = true));
    await pause(60);
    expect(answered).toBe(false);
    server.resume();
    expect(await reply).toBe(1);
  });

  it('loses its data and its connections when killed, and comes back on the same port', async () => {
    const { port, processId } = server;
    await server.command('SET', 'lost', 1);
    const other = await RespConnection.open(port);
    await server.kill();
    await other.closed;
    expect(isAlive(processId)).toBe(false);
    await expect(server.command('PING')).rejects.toThrow('does not accept connections');
    expect(() => server.processId).toThrow('is not running');
    expect(() => server.pause()).toThrow('is not running');
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.processId).not.toBe(processId);
    expect(await server.command('GET', 'lost')).toBe(null);
  });

  it('rejects the command that was under way when killed', async () => {
    server.pause();
    const underWay = server.command('PING');
    const rejected = expect(underWay).rejects.toThrow('closed');
    await pause(10);
    await server.kill();
    await rejected;
    await server.restart();
  });

  it('restarts while it runs, and while it is paused', async () => {
    const first = server.processId;
    await server.restart();
    server.pause();
    await server.restart();
    expect(isAlive(first)).toBe(false);
    expect(await server.command('PING')).toBe('PONG');
  });
});

describe('stopping', () => {
  it('ends the process and removes its directory, and may be asked twice', async () => {
    const server = await startRedisServer();
    const { processId } = server;
    const directory = await directoryOf(server);
    expect(existsSync(directory)).toBe(true);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect([isAlive(processId), existsSync(directory)]).toEqual([false, false]);
    await expect(server.restart()).rejects.toThrow('stopped');
    await expect(server.command('PING')).rejects.toThrow('does not accept connections');
  });

  it('works on a server that was killed', async () => {
    const server = await startRedisServer();
    await server.kill();
    await server.stop();
  });

  it('happens at the end of an await using block', async () => {
    let processId: number;
    {
      await using server = await startRedisServer();
      ({ processId } = server);
      expect(isAlive(processId)).toBe(true);
    }
    expect(isAlive(processId)).toBe(false);
  });

  it('kills a server that an endless script keeps from ending', async () => {
    const server = await startRedisServer();
    const { processId } = server;
    const script = expect(server.command('EVAL', 'while true do end', 0)).rejects.toThrow('closed');
    await pause(20);
    await server.stop();
    await script;
    expect(isAlive(processId)).toBe(false);
  });
});

describe('options', () => {
  let given: string;
  beforeEach(async () => {
    given = await mkdtemp(join(tmpdir(), 'commonhold-given-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    return rm(given, { recursive: true });
  });

  it('give more arguments, which win, and a directory that outlives the server', async () => {
    const args = ['--appendonly', 'yes', '--maxmemory', '16mb'];
    const first = await startRedisServer({ args, dir: given });
    expect(await first.command('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(16 * 2 ** 20)]);
    await first.command('SET', 'kept', 'yes');
    await first.restart();
    expect(await first.command('GET', 'kept')).toBe('yes');
    await first.stop();
    await using second = await startRedisServer({ args, dir: given });
    expect(await second.command('GET', 'kept')).toBe('yes');
  });

  it('let a server that is stopped while paused save what it has', async () => {
    const options = { args: ['--save', '3600 1'], dir: given };
    const first = await startRedisServer(options);
    const { processId } = first;
    await first.command('SET', 'saved', 'yes');
    first.pause();
    await first.stop();
    expect(isAlive(processId)).toBe(false);
    await using second = await startRedisServer(options);
    expect(await second.command('GET', 'saved')).toBe('yes');
  });

  it('give the port, and say so when it is taken', async () => {
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    await once(taken, 'listening');
    await expect(startRedisServer({ port })).rejects.toThrow('Address already in use');
    taken.close();
    await using server = await startRedisServer({ port });
    expect(server.port).toBe(port);
    await expect(startRedisServer({ port })).rejects.toThrow('Address already in use');
  });

  it('that the server refuses show what it printed', async () => {
    await expect(startRedisServer({ args: ['--no-such-option', '1'] })).rejects.toThrow('no-such-option');
  });

  it('a missing redis-server is named, with what to do', async () => {
    vi.stubEnv('PATH', given);
    await expect(startRedisServer()).rejects.toMatchObject({
      code: 'MissingDependency',
      message: expect.stringContaining('redis-server is not installed'),
      advice: expect.stringContaining('Install redis-server'),
    });
  });
});
