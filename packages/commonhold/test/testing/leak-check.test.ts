import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { startFaultProxy } from '../../src/testing/fault-proxy.js';
import { freePort } from '../../src/testing/free-port.js';
import { leakCheck, openResources, type LeakCheck } from '../../src/testing/leak-check.js';
import { startRedisServer } from '../../src/testing/redis-server.js';
import { RespConnection } from '../../src/testing/resp-connection.js';

const listedTimers = (): number => openResources().filter((kind) => kind === 'Timeout').length;

describe('leakCheck finds', () => {
  it('nothing where nothing is open', async () => {
    const check = leakCheck({ settleMs: 30 });
    await check.assertNoLeak();
    expect(await check.grown()).toEqual([]);
  });

  it('a timer, and where it was armed', async () => {
    const check = leakCheck({ settleMs: 30 });
    const timer = setTimeout(() => {}, 60_000);
    expect(await check.grown()).toEqual(['timer']);
    await expect(check.assertNoLeak()).rejects.toThrow(/left open:\ntimer\n +at .*leak-check\.test\.ts/);
    clearTimeout(timer);
  });

  it('a timer that does not keep the process alive, which Node does not list', async () => {
    const before = listedTimers();
    const check = leakCheck({ settleMs: 30 });
    const timer = systemClock.setTimer(() => {}, 60_000);
    expect(listedTimers()).toBe(before);
    expect(await check.grown()).toEqual(['timer']);
    timer.cancel();
  });

  it('a timer that arms itself again', async () => {
    const check = leakCheck({ settleMs: 30 });
    let stopped = false;
    const again = (): unknown => stopped || systemClock.setTimer(again, 5);
    again();
    expect(await check.grown()).toEqual(['timer']);
    stopped = true;
  });

  it('an interval', async () => {
    const check = leakCheck({ settleMs: 30 });
    const interval = setInterval(() => {}, 5);
    expect(await check.grown()).toEqual(['timer']);
    clearInterval(interval);
  });

  it('a listening server and both ends of a connection', async () => {
    const check = leakCheck({ settleMs: 30 });
    const port = await freePort();
    const server = createServer((peer) => peer.on('error', () => {})).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await accepted;
    expect(openResources()).toEqual(expect.arrayContaining(['TCPServerWrap', 'TCPSocketWrap']));
    socket.unref();
    expect(await check.grown()).toEqual(['server', 'socket']);
    await expect(check.assertNoLeak()).rejects.toThrow('leak-check.test.ts');
    socket.resetAndDestroy();
    server.close();
  });

  it('a child process, with its pipes', async () => {
    const check = leakCheck({ settleMs: 30 });
    const child = spawn('sleep', ['60'], { stdio: ['pipe', 'ignore', 'ignore'] });
    expect(await check.grown()).toEqual(['pipe', 'process']);
    child.kill();
    await once(child, 'exit');
  });

  it('a test server', async () => {
    const check = leakCheck({ settleMs: 30 });
    const server = await startRedisServer();
    expect(await check.grown()).toContain('process');
    await server.stop();
  });

  it('a worker thread', async () => {
    const check = leakCheck({ settleMs: 30 });
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await once(worker, 'online');
    expect(await check.grown()).toContain('worker');
    await worker.terminate();
  });
});

describe('leakCheck is content', () => {
  it('with what was open before it began', async () => {
    const timer = setTimeout(() => {}, 60_000);
    await leakCheck().assertNoLeak();
    clearTimeout(timer);
  });

  it('with what fires, is cleared or closes within half a second', async () => {
    const check = leakCheck();
    setTimeout(() => {}, 150);
    systemClock.setTimer(() => {}, 60_000).cancel();
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    setTimeout(() => server.close(), 50);
    await check.assertNoLeak();
  });

  it('with a timer that Node keeps for itself, such as the date of HTTP answers', async () => {
    const port = await freePort();
    const check = leakCheck({ settleMs: 100 });
    const server = createHttpServer((_request, response) => response.end()).listen(port, '127.0.0.1');
    await once(server, 'listening');
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
    server.close();
    await check.assertNoLeak();
  });

  it('with a test server, proxy and connection that were closed', async () => {
    await using _check = leakCheck();
    await using server = await startRedisServer();
    await using proxy = await startFaultProxy({ port: server.port });
    const connection = await RespConnection.open(proxy.port);
    await connection.send('PING');
    await server.restart();
    await connection.close();
  });

  describe('with the timers of the test runner,', () => {
    let check: LeakCheck;
    beforeEach(() => {
      check = leakCheck();
    });
    afterEach(() => check.assertNoLeak());

    it('between hooks', async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
    });

    it('inside the test', () => check.assertNoLeak());
  });
});

it('leakCheck asserts at the end of an await using block', async () => {
  let timer: NodeJS.Timeout | undefined;
  const leaking = async (): Promise<void> => {
    await using _check = leakCheck({ settleMs: 30 });
    timer = setTimeout(() => {}, 60_000);
  };
  await expect(leaking()).rejects.toThrow('left open');
  clearTimeout(timer);
});
