import { once } from 'node:events';
import { request } from 'node:http';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { eventually, freePort, leakCheck, pause, startRedisServer, waitUntil } from 'commonhold/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from '../src/start-server.js';
import type { MountedSystem, SystemHost } from '../src/system.js';
import { ask, exchange, Happening, openConnection, post, serve, temporaryDirectory } from './serving.js';
import { tinySystem } from './tiny-system.js';

describe('startServer', () => {
  it('mounts each system under its name, with state of its own', async () => {
    const { url, place } = await serve([tinySystem(), tinySystem({ name: 'other' })]);
    expect((await post(`${url}/tiny/count`)).json).toEqual({ count: 1 });
    expect((await post(`${url}/tiny/count`)).json).toEqual({ count: 2 });
    expect((await post(`${url}/other/count`)).json).toEqual({ count: 1 });
    expect((await post(`${url}/count`)).status).toBe(404);
    expect(place).toBe('in memory');
  });

  it('gives each system a directory of its own', async () => {
    const hosts: SystemHost[] = [];
    const root = join(await temporaryDirectory(), 'deep', 'data');
    const onMount = (host: SystemHost): unknown => hosts.push(host);
    await serve([tinySystem({ onMount }), tinySystem({ name: 'other' })], { variables: { DATA_DIR: root } });
    expect((await readdir(root)).toSorted()).toEqual(['other', 'tiny']);
    expect(hosts[0]?.dataDirectory).toBe(join(root, 'tiny'));
    expect((await stat(join(root, 'tiny'))).mode & 0o777).toBe(0o700);
  });

  it.each([
    [['health'], /expected lower-case letters/],
    [['socket.io'], /expected lower-case letters/],
    [['a', 'a'], /of its own; received a/],
    [['Upper'], /expected lower-case letters/],
    [['a/b'], /expected lower-case letters/],
    [[''], /expected lower-case letters/],
  ])('refuses systems named %j', async (names, message) => {
    await expect(startServer(names.map((name) => tinySystem({ name })))).rejects.toThrow(message);
  });

  it('has exactly one system at the root', async () => {
    const two = [tinySystem(), tinySystem({ name: 'other' })];
    await expect(startServer(two, { atRoot: true })).rejects.toThrow('atRoot: expected one system, received 2');
    await expect(startServer([], { atRoot: true })).rejects.toThrow('atRoot: expected one system, received 0');
  });

  it('leaves nothing behind when a system does not start', async () => {
    let closed = 0;
    const good = tinySystem({ onClose: () => (closed += 1) });
    const bad = tinySystem({ name: 'bad', onMount: () => Promise.reject(new Error('no model')) });
    const environment = { PORT: String(await freePort()), DATA_DIR: await temporaryDirectory(), LOG_LEVEL: 'silent' };
    await expect(startServer([good, bad], { environment })).rejects.toThrow('no model');
    expect(closed).toBe(1);
    const again = await startServer([good], { environment });
    await again.stop();
  });

  it('says so when the port is taken, before a system begins', async () => {
    const first = await serve([]);
    const { port } = new URL(first.url);
    let mounted = 0;
    const system = tinySystem({ onMount: () => (mounted += 1) });
    await expect(serve([system], { variables: { PORT: port } })).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken.`);
    expect(mounted).toBe(0);
  });

  it('says so when the data directory cannot be used', async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    const starting = serve([tinySystem()], { variables: { DATA_DIR: file } });
    await expect(starting).rejects.toThrow(`DATA_DIR=${file} cannot be used: ENOTDIR`);
  });

  it('believes X-Forwarded-For only of those it is told to trust', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' };
    const seen = async (variables: Record<string, string>): Promise<unknown> => {
      const { url } = await serve([tinySystem()], { variables });
      return (await ask(`${url}/tiny/address`, { headers })).json['ip'];
    };
    expect(await seen({})).toBe('127.0.0.1');
    expect(await seen({ TRUST_PROXY: '10.0.0.0/8' })).toBe('127.0.0.1');
    expect(await seen({ TRUST_PROXY: '1' })).toBe('198.51.100.7');
    expect(await seen({ TRUST_PROXY: '127.0.0.1' })).toBe('198.51.100.7');
    expect(await seen({ TRUST_PROXY: '127.0.0.0/8,198.51.100.0/24' })).toBe('203.0.113.9');
  });
});

describe('stop', () => {
  it('answers requests in flight, and closes systems before state', async () => {
    const steps: string[] = [];
    let host: SystemHost | undefined;
    const slowBegun = new Happening();
    const system = tinySystem({
      onSlow: slowBegun.happen,
      onMount: (given) => (host = given),
      onClose: async () => {
        const state = await host?.openState({ namespace: 'late' });
        steps.push(`state ${String(await state?.counter('still').add(1))}`);
      },
    });
    const { url, stop } = await serve([system]);
    const slow = ask(`${url}/tiny/slow?ms=400`);
    await slowBegun.happened;
    await stop();
    steps.push('stopped');
    expect((await slow).json).toEqual({ waitedMs: 400 });
    expect((await slow).headers.get('connection')).toBe('close');
    expect(steps).toEqual(['state 1', 'stopped']);
    await expect(fetch(`${url}/live`)).rejects.toThrow('fetch failed');
  });

  it('gives notice on /ready while it still serves', async () => {
    const { url, stop } = await serve([tinySystem()]);
    const stopping = stop({ noticeMs: 500 });
    const ready = await ask(`${url}/ready`);
    expect(ready).toMatchObject({ status: 503, json: { detail: expect.stringContaining('stopping') as string } });
    expect(ready.headers.get('retry-after')).toBe('1');
    expect((await ask(`${url}/live`)).status).toBe(200);
    expect((await ask(`${url}/health`)).status).toBe(200);
    expect((await post(`${url}/tiny/count`)).status).toBe(200);
    const kept = await exchange(url, 'GET /live HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(kept).toMatch(/\r\nconnection: close\r\n/i);
    await stopping;
  });

  it('begins nothing that is asked after it, on a connection that was busy', async () => {
    let marked = 0;
    const onMount = ({ http }: SystemHost): unknown =>
      http.get('/mark', () => Promise.resolve({ marked: (marked += 1) }));
    const slowBegun = new Happening();
    const { url, stop } = await serve([tinySystem({ onMount, onSlow: slowBegun.happen })]);
    const busy = await openConnection(url);
    busy.write('GET /tiny/slow?ms=300 HTTP/1.1\r\nHost: a\r\n\r\n');
    await slowBegun.happened;
    const stopped = stop();
    await pause(50);
    busy.write('GET /tiny/mark HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = (await once(busy, 'data')) as [Buffer];
    expect(answer.toString()).toContain('{"waitedMs":300}');
    await stopped;
    expect(marked).toBe(0);
  });

  it('does not wait for connections that are kept alive', async () => {
    const { url, stop } = await serve([tinySystem()]);
    const idle = await openConnection(url);
    idle.write('GET /live HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(idle, 'data');
    const startedAtMs = performance.now();
    await stop();
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
  });

  it('does not wait for connections on which nothing was asked, or not all of it', async () => {
    const { url, stop } = await serve([tinySystem()]);
    const [silent, half] = [await openConnection(url), await openConnection(url)];
    for (const socket of [silent, half]) socket.on('error', () => undefined);
    half.write('GET /live HTTP/1.1\r\nHost:');
    await pause(50);
    const startedAtMs = performance.now();
    const closed = [silent, half].map((socket) => once(socket, 'close'));
    await stop();
    expect(performance.now() - startedAtMs).toBeLessThan(1500);
    await Promise.all(closed);
  });

  it('ends a download that had begun before it', async () => {
    const system = tinySystem({
      onMount: ({ http }) =>
        http.get('/download', (_request, reply) => {
          const body = new PassThrough();
          body.write('one ');
          setTimeout(() => body.end('two'), 400);
          return reply.type('text/plain').send(body);
        }),
    });
    const { url, stop } = await serve([system]);
    const response = await fetch(`${url}/tiny/download`);
    const startedAtMs = performance.now();
    const stopped = stop();
    expect(await response.text()).toBe('one two');
    await stopped;
    expect(performance.now() - startedAtMs).toBeLessThan(1500);
  });

  it('names what does not end in time, and cuts it off', async () => {
    const slowBegun = new Happening();
    const system = tinySystem({ onSlow: slowBegun.happen, onClose: () => new Promise(() => undefined) });
    const { url, stop } = await serve([system]);
    const slow = ask(`${url}/tiny/slow?ms=5000`).catch(() => 'cut off');
    await slowBegun.happened;
    await expect(stop({ withinMs: 300 })).rejects.toThrow('did not end within 300 ms: GET /tiny/slow, system tiny');
    expect(await slow).toBe('cut off');
  });

  it('ends all the rest when a system fails to close, by whichever way', async () => {
    const stuck = (): never => {
      throw new Error('stuck');
    };
    const onMount = async (): Promise<MountedSystem> => ({ close: stuck });
    const { url, stop } = await serve([{ ...tinySystem(), mount: onMount }]);
    await expect(stop()).rejects.toThrow(/^system tiny failed: stuck$/);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('is one stop, however often it is asked for', async () => {
    let closed = 0;
    const { stop } = await serve([tinySystem({ onClose: () => (closed += 1) })]);
    await Promise.all([stop(), stop()]);
    await stop();
    expect(closed).toBe(1);
  });

  it('works while Redis hangs', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const { url, stop } = await serve([tinySystem()], { variables: { REDIS_URL: redis.url } });
    await post(`${url}/tiny/count`);
    redis.pause();
    const pending = post(`${url}/tiny/count`);
    await pause(50);
    const startedAtMs = performance.now();
    await stop();
    expect((await pending).status).toBe(503);
    expect(performance.now() - startedAtMs).toBeLessThan(2500);
  });

  it('leaves no timer, socket or server', async () => {
    await using leaks = leakCheck({ settleMs: 3000 });
    const redis = await startRedisServer();
    const environment = { PORT: '0', DATA_DIR: await temporaryDirectory(), REDIS_URL: redis.url, LOG_LEVEL: 'silent' };
    const server = await startServer([tinySystem()], { environment });
    const call = request(`${server.url}/tiny/count`, { method: 'POST', agent: false }).end();
    const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream];
    response.resume();
    await once(response, 'end');
    await server.stop();
    await redis.stop();
    await leaks.assertNoLeak();
  });
});

describe('requests before the systems are mounted', () => {
  it('wait, and are then served', async () => {
    const port = await freePort();
    let mount = (): void => undefined;
    const onMount = (): unknown => new Promise<void>((resolve) => (mount = resolve));
    const starting = serve([tinySystem({ onMount })], { variables: { PORT: String(port) } });
    const url = `http://127.0.0.1:${port}`;
    await waitUntil('the port to be taken', () =>
      openConnection(url).then(
        () => true,
        () => false,
      ),
    );
    const early = post(`${url}/tiny/count`);
    expect(await Promise.race([early, pause(100).then(() => 'waiting')])).toBe('waiting');
    mount();
    await starting;
    await eventually(async () => expect((await early).json).toEqual({ count: 1 }));
  });
});
