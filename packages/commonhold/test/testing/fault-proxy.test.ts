import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../../src/testing/fault-proxy.js';
import { leakCheck } from '../../src/testing/leak-check.js';
import { startRedisServer, type RedisServer } from '../../src/testing/redis-server.js';
import { RespConnection } from '../../src/testing/resp-connection.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';

let server: RedisServer;
let proxy: FaultProxy;
let client: RespConnection;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  await server.command('FLUSHALL');
  proxy = await startFaultProxy({ port: server.port });
  client = await RespConnection.open(proxy.port);
});
afterEach(async () => {
  await client.close();
  await proxy.stop();
});

/** Whether `work` settles within `ms`. */
async function settlesWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, pause(ms).then(() => false)]);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

/** A bare connection through the proxy, which notes what it hears. */
async function listen(): Promise<{ socket: Socket; chunks: Buffer[]; ended: string[] }> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const chunks: Buffer[] = [];
  const ended: string[] = [];
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  socket.on('end', () => void ended.push('end'));
  socket.on('error', (error) => void ended.push('code' in error ? String(error.code) : error.message));
  await once(socket, 'connect');
  return { socket, chunks, ended };
}

describe('pass', () => {
  it('carries everything, in order, large replies too', async () => {
    const large = 'x'.repeat(3_000_000);
    const all = [client.send('SET', 'large', large), client.send('GET', 'large'), client.send('ECHO', 'after')];
    expect(await Promise.all(all)).toEqual(['OK', large, 'after']);
  });

  it('counts the connections that are open, and all there were', async () => {
    await client.send('PING');
    expect(proxy.connections).toEqual({ open: 1, total: 1 });
    const second = await RespConnection.open(proxy.port);
    await second.send('PING');
    expect(proxy.connections).toEqual({ open: 2, total: 2 });
    await second.close();
    await waitUntil('the close to be seen', () => proxy.connections.open === 1);
    expect(proxy.connections.total).toBe(2);
  });

  it('closes the server’s side when the client closes, and the client’s when the server does', async () => {
    const id = await client.send('CLIENT', 'ID');
    await server.command('CLIENT', 'KILL', 'ID', Number(id));
    await client.closed;
    const second = await RespConnection.open(proxy.port);
    const secondId = `id=${String(await second.send('CLIENT', 'ID'))} `;
    await second.close();
    await waitUntil(
      'the server to see it',
      async () => !String(await server.command('CLIENT', 'LIST')).includes(secondId),
    );
  });

  it('holds the server back while the client does not read', async () => {
    const { socket } = await listen();
    socket.pause();
    await server.command('SET', 'large', 'x'.repeat(4_000_000));
    for (let count = 0; count < 20; count += 1) socket.write('GET large\r\n');
    const waiting = async (): Promise<number> => {
      const list = String(await server.command('CLIENT', 'LIST'));
      return Math.max(...[...list.matchAll(/ omem=(\d+)/g)].map((match) => Number(match[1])));
    };
    let before = -1;
    const steady = async (): Promise<boolean> => before === (before = await waiting());
    await waitUntil('the flow to stop', steady, { everyMs: 100 });
    expect(before).toBeGreaterThan(40_000_000);
    socket.destroy();
  });

  it('shows a server that is not there as a reset', async () => {
    await using dead = await startFaultProxy({ port: proxy.port + 10_000 });
    const connection = await RespConnection.open(dead.port);
    await connection.closed;
  });
});

describe('delay', () => {
  it('takes its time in each direction, and keeps the order when it changes', async () => {
    await client.send('PING');
    const undelayed = await timed(() => client.send('PING'));
    proxy.delay(40);
    const delayed = await timed(() => client.send('PING'));
    expect(delayed).toBeGreaterThanOrEqual(80);
    expect(undelayed).toBeLessThan(40);
    const slow = client.send('RPUSH', 'order', 'slow');
    await pause(5);
    await proxy.pass();
    const fast = client.send('RPUSH', 'order', 'fast');
    expect(await Promise.all([slow, fast])).toEqual([1, 2]);
    expect(await server.command('LRANGE', 'order', 0, -1)).toEqual(['slow', 'fast']);
  });

  it('delays what is under way by itself: many at once take as long as one', async () => {
    proxy.delay(30);
    const all = await timed(async () => {
      const replies: Promise<unknown>[] = [];
      for (let count = 0; count < 10; count += 1) {
        replies.push(client.send('PING'));
        await pause(2);
      }
      await Promise.all(replies);
    });
    expect(all).toBeGreaterThanOrEqual(60);
    expect(all).toBeLessThan(250);
  });

  it('still delivers what a client sent before it closed', async () => {
    proxy.delay(40);
    const { socket } = await listen();
    socket.end('SET last word\r\n');
    await pause(10);
    expect(await server.command('GET', 'last')).toBe(null);
    await waitUntil('the last word', async () => (await server.command('GET', 'last')) === 'word');
  });
});

describe('blackhole', () => {
  it('hangs existing and new connections without closing them, and executes nothing', async () => {
    await client.send('PING');
    proxy.blackhole();
    const fresh = await RespConnection.open(proxy.port);
    const calls = [client.send('SET', 'key', 1), fresh.send('SET', 'key', 2), client.closed, fresh.closed];
    const settled = await Promise.all(calls.map((call) => settlesWithin(80, call)));
    expect(settled).toEqual([false, false, false, false]);
    expect(await server.command('GET', 'key')).toBe(null);
    await fresh.close();
  });

  it('lets new connections work after pass, and idle ones; one that lost something stays dark', async () => {
    const idle = await RespConnection.open(proxy.port);
    await idle.send('PING');
    proxy.blackhole();
    const lost = client.send('SET', 'key', 'lost');
    await pause(20);
    await proxy.pass();
    const fresh = await RespConnection.open(proxy.port);
    expect(await fresh.send('SET', 'key', 'fresh')).toBe('OK');
    expect(await idle.send('GET', 'key')).toBe('fresh');
    const later = client.send('SET', 'key', 'later');
    expect(await settlesWithin(50, Promise.race([lost, later]))).toBe(false);
    expect(await idle.send('GET', 'key')).toBe('fresh');
    await Promise.all([idle.close(), fresh.close()]);
  });

  it('swallows replies and messages that are under way', async () => {
    proxy.delay(30);
    const underWay = client.send('INCR', 'count');
    await pause(45);
    proxy.blackhole();
    expect(await settlesWithin(60, underWay)).toBe(false);
    expect(await server.command('GET', 'count')).toBe('1');
  });

  it('does not tell when the other side closes', async () => {
    const id = await client.send('CLIENT', 'ID');
    proxy.blackhole();
    await server.command('CLIENT', 'KILL', 'ID', Number(id));
    expect(await settlesWithin(50, client.closed)).toBe(false);
  });
});

describe('refuse', () => {
  it('resets what is open and refuses connects, until pass listens on the same port', async () => {
    const { port } = proxy;
    const { ended } = await listen();
    await client.send('PING');
    proxy.refuse();
    await client.closed;
    await waitUntil('the reset', () => ended.length > 0);
    expect(ended).toEqual(['ECONNRESET']);
    await expect(RespConnection.open(port)).rejects.toThrow('ECONNREFUSED');
    expect(() => proxy.delay(10)).toThrow('await pass()');
    await proxy.pass();
    client = await RespConnection.open(port);
    expect(await client.send('PING')).toBe('PONG');
  });
});

describe('lost replies', () => {
  it('dropReplies executes the requests and loses that many replies', async () => {
    proxy.dropReplies(2);
    const first = client.send('INCR', 'count');
    await waitUntil('the first to run', async () => (await server.command('GET', 'count')) === '1');
    await pause(20);
    const second = await RespConnection.open(proxy.port);
    expect(await settlesWithin(50, second.send('INCR', 'count'))).toBe(false);
    expect(await settlesWithin(1, first)).toBe(false);
    const third = await RespConnection.open(proxy.port);
    expect(await third.send('INCR', 'count')).toBe(3);
    await Promise.all([second.close(), third.close()]);
  });

  it('dropReplyThenReset executes the request, then resets that connection only, once', async () => {
    const other = await RespConnection.open(proxy.port);
    await other.send('PING');
    proxy.dropReplyThenReset();
    const doomed = client.send('BLPOP', 'list', 0);
    const rejected = expect(doomed).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    await waitUntil('it to block', async () =>
      String(await server.command('INFO', 'clients')).includes('blocked_clients:1'),
    );
    expect(await other.send('PING')).toBe('PONG');
    expect(await other.send('RPUSH', 'list', 'a', 'b')).toBe(2);
    await rejected;
    expect(await other.send('LRANGE', 'list', 0, -1)).toEqual(['b']);
    const fresh = await RespConnection.open(proxy.port);
    expect(await fresh.send('LLEN', 'list')).toBe(1);
    await Promise.all([other.close(), fresh.close()]);
  });

  it('truncateReply ends the reply and the connection after so many bytes, once', async () => {
    const { socket, chunks, ended } = await listen();
    proxy.truncateReply(5);
    socket.write('ECHO 0123456789\r\n');
    await waitUntil('the end', () => ended.length > 0);
    expect([Buffer.concat(chunks).toString(), ended]).toEqual(['$10\r\n', ['end']]);
    socket.destroy();
    expect(await client.send('ECHO', '0123456789')).toBe('0123456789');
  });
});

describe('splitBytes', () => {
  it('hands over one byte at a time, both ways', async () => {
    const { socket, chunks } = await listen();
    proxy.splitBytes();
    socket.write('ECHO split\r\n');
    await waitUntil('the reply', () => Buffer.concat(chunks).length === 11);
    expect(Buffer.concat(chunks).toString()).toBe('$5\r\nsplit\r\n');
    expect(chunks.length).toBeGreaterThan(8);
    await proxy.pass();
    chunks.length = 0;
    socket.write('ECHO whole\r\n');
    await waitUntil('the reply', () => Buffer.concat(chunks).length === 11);
    expect(chunks.length).toBe(1);
    socket.destroy();
  });
});

describe('reset and halfClose', () => {
  it('reset ends all connections at once with RST; new ones work', async () => {
    const { ended } = await listen();
    await client.send('PING');
    proxy.reset();
    await client.closed;
    await waitUntil('the reset', () => ended.length > 0);
    expect(ended).toEqual(['ECONNRESET']);
    client = await RespConnection.open(proxy.port);
    expect(await client.send('PING')).toBe('PONG');
  });

  it('halfClose sends FIN and still carries requests', async () => {
    const { socket, chunks, ended } = await listen();
    await client.send('PING');
    proxy.halfClose();
    await waitUntil('the end', () => ended.length > 0);
    socket.write('SET half closed\r\n');
    await waitUntil('the request', async () => (await server.command('GET', 'half')) === 'closed');
    expect([chunks, ended]).toEqual([[], ['end']]);
    socket.destroy();
  });
});

describe('onRequest', () => {
  it('decides chunk by chunk, and is asked no more once removed', async () => {
    const seen: string[] = [];
    proxy.onRequest = (chunk) => {
      seen.push(chunk.toString().split('\r\n')[2] ?? '');
      return seen.at(-1) === 'INCR' ? 'drop' : 'pass';
    };
    expect(await client.send('PING')).toBe('PONG');
    expect(await settlesWithin(40, client.send('INCR', 'count'))).toBe(false);
    proxy.onRequest = undefined;
    expect(await server.command('GET', 'count')).toBe(null);
    expect(seen).toEqual(['PING', 'INCR']);
  });

  it('makes the n-th command fail, from the first on when given at the start', async () => {
    let requests = 0;
    await using counting = await startFaultProxy({
      port: server.port,
      onRequest: () => ((requests += 1) === 3 ? 'reset' : 'pass'),
    });
    const connection = await RespConnection.open(counting.port);
    expect([await connection.send('INCR', 'count'), await connection.send('INCR', 'count')]).toEqual([1, 2]);
    await expect(connection.send('INCR', 'count')).rejects.toThrow('closed');
    expect(await server.command('GET', 'count')).toBe('2');
  });

  it('loses the reply of a request that it picks out, and no other', async () => {
    proxy.onRequest = (chunk) => (chunk.includes('unlucky') ? 'loseReply' : 'pass');
    expect(await client.send('INCR', 'lucky')).toBe(1);
    await expect(client.send('INCR', 'unlucky')).rejects.toThrow('closed');
    expect(await server.command('GET', 'unlucky')).toBe('1');
  });
});

describe('stopping', () => {
  it('resets what is open, in every mode, and may be asked twice', async () => {
    proxy.blackhole();
    void client.send('PING').catch(() => {});
    await pause(10);
    await Promise.all([proxy.stop(), proxy.stop()]);
    await client.closed;
    expect(proxy.connections).toEqual({ open: 0, total: 1 });
    await expect(RespConnection.open(proxy.port)).rejects.toThrow('ECONNREFUSED');
    await expect(proxy.pass()).rejects.toThrow('stopped');
  });

  it('gives up what it still held back', async () => {
    await client.send('PING');
    const leaks = leakCheck({ settleMs: 100 });
    proxy.delay(60_000);
    void client.send('PING').catch(() => {});
    await pause(10);
    await proxy.stop();
    await leaks.assertNoLeak();
  });

  it('refuses figures that mean nothing', () => {
    expect(() => proxy.delay(-1)).toThrow('-1');
    expect(() => proxy.dropReplies(0)).toThrow('0');
    expect(() => proxy.truncateReply(1.5)).toThrow('1.5');
  });
});
