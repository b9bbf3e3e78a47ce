import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nginxConfiguration } from '../topology/nginx-configuration.mjs';
import { startNginx } from '../topology/start-nginx.mjs';
import { Started } from '../topology/started.mjs';
import { plantFolder, root } from './planted.js';

const template = readFileSync(join(root, 'deploy/nginx.conf'), 'utf8');

/** What a server behind nginx got. */
interface Echo {
  readonly server: string;
  readonly headers: Record<string, string>;
  readonly bytes: number;
}

/** A server that answers with what it was asked, and switches protocols where it is asked to. */
async function startEcho(name: string): Promise<Server> {
  const server = createServer((incoming, response) => {
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    incoming.on('end', () => response.end(JSON.stringify({ server: name, headers: incoming.headers, bytes })));
  });
  server.on('upgrade', (incoming: IncomingMessage, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${incoming.headers.upgrade}\r\nConnection: Upgrade\r\n\r\n`,
    );
    socket.on('data', (chunk: Buffer) => socket.write(`${name}:${chunk.toString()}`));
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function hostOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('deploy/nginx.conf', () => {
  let started: Started;
  let servers: Server[] = [];
  let url: string;
  beforeAll(async () => {
    servers = await Promise.all(['one', 'two', 'three'].map(startEcho));
    started = await Started.open();
    url = await startNginx(started, servers.map(hostOf));
  });
  afterAll(async () => {
    await started?.stop();
    for (const server of servers) server.closeAllConnections();
    for (const server of servers) server.close();
  });

  async function echo(path: string, init?: RequestInit): Promise<Echo> {
    return (await (await fetch(`${url}${path}`, init)).json()) as Echo;
  }

  it('is a configuration that nginx takes without a warning', () => {
    const directory = plantFolder({});
    const text = nginxConfiguration(template, { port: 18_080, servers: ['127.0.0.1:18081'], directory });
    const folder = plantFolder({ 'nginx.conf': text });
    const { status, stderr } = spawnSync('nginx', ['-t', '-q', '-c', join(folder, 'nginx.conf'), '-p', directory], {
      env: { PATH: `${process.env['PATH']}:/usr/sbin` },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('differs here in places alone', () => {
    const text = nginxConfiguration(template, { port: 1, servers: ['a:1', 'b:2'], directory: '/run/x' });
    const own = text.split('\n').filter((line) => !template.includes(line));
    const places = /user root;|listen 127\.0\.0\.1:1;|\/run\/x\/|server [ab]:\d/;
    expect(own.filter((line) => !places.test(line))).toEqual([]);
    expect(text).not.toMatch(/\/tmp\/|app1|\/dev\//);
    expect(() => nginxConfiguration('http {}', { port: 1, servers: [], directory: '/run/x' })).toThrow(/expected/);
  });

  it('spreads one client over all servers', async () => {
    const names = await Promise.all(Array.from({ length: 30 }, async () => (await echo('/anything')).server));
    expect(new Set(names)).toEqual(new Set(['one', 'two', 'three']));
  });

  it('says itself who the client is, whatever the client says', async () => {
    const { headers } = await echo('/ip', {
      headers: {
        'X-Forwarded-For': '1.2.3.4',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'evil.example',
        'X-Real-IP': '1.2.3.4',
        Forwarded: 'for=1.2.3.4',
      },
    });
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': new URL(url).host,
      'x-real-ip': '127.0.0.1',
      host: new URL(url).host,
    });
    expect(headers).not.toHaveProperty('forwarded');
  });

  it.each([
    ['/rose-tracker/sessions', 2 ** 20, 200],
    ['/rose-tracker/sessions', 2 ** 20 + 1, 413],
    ['/ocr/tasks', 22 * 2 ** 20, 200],
    ['/attendx/api/enroll', 22 * 2 ** 20, 200],
    ['/audio/uploads/abc', 22 * 2 ** 20, 200],
    ['/ocr/tasks', 26 * 2 ** 20, 413],
    ['/ocr/login', 2 * 2 ** 20, 413],
  ])('%s takes %i bytes: %i', async (path, size, status) => {
    const response = await fetch(`${url}${path}`, { method: 'POST', body: Buffer.alloc(size) });
    expect(response.status).toBe(status);
    if (status === 200) expect(((await response.json()) as Echo).bytes).toBe(size);
    else expect(await response.json()).toMatchObject({ status: 413, title: 'Payload Too Large' });
  });

  it('refuses what is malformed as the servers do', async () => {
    for (const path of ['/x%00', '/%zz', `/${'x'.repeat(20_000)}`]) {
      const response = await fetch(`${url}${path}`);
      expect(response.status, path.slice(0, 10)).toBe(path.length > 100 ? 414 : 400);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(await response.json()).toMatchObject({ type: 'about:blank', status: response.status });
    }
  });

  it('lets sockets through, to any server', async () => {
    const heard = new Set<string>();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const { port } = new URL(url);
      const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
      const upgrade = request({ port, host: '127.0.0.1', path: '/socket.io/?EIO=4', headers }).end();
      const [response, socket] = (await once(upgrade, 'upgrade')) as [IncomingMessage, Socket];
      expect([response.statusCode, response.headers.upgrade]).toEqual([101, 'websocket']);
      socket.write('hello');
      const [data] = (await once(socket, 'data')) as [Buffer];
      expect(data.toString()).toMatch(/^\w+:hello$/);
      heard.add(data.toString());
      socket.destroy();
    }
    expect(heard.size).toBe(3);
  });

  it('keeps its connections to the servers', async () => {
    const opened: number[] = [];
    for (const server of servers) server.on('connection', () => opened.push(1));
    for (let count = 0; count < 60; count += 1) await echo('/again');
    expect(opened.length).toBeLessThan(20);
  });

  it('goes on with the others when one is away, and says 503 as the servers do when all are', async () => {
    const [one, ...others] = servers;
    one?.close();
    one?.closeAllConnections();
    for (let count = 0; count < 20; count += 1) expect((await fetch(`${url}/x`)).status).toBe(200);
    for (const server of others) server.close();
    for (const server of others) server.closeAllConnections();
    const response = await fetch(`${url}/x`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status: 503, title: 'Service Unavailable' });
  });
});
