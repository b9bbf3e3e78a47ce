import { once } from 'node:events';
import { eventually } from 'commonhold/testing';
import { io, type Socket } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, exchange, openConnection, serve } from '../serving.js';
import { tinySystem } from '../tiny-system.js';

function open(url: string, options: Parameters<typeof io>[1] = {}): Socket {
  const socket = io(url, { transports: ['websocket'], reconnectionDelay: 50, reconnectionDelayMax: 100, ...options });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** The next `event`, by what came with it. */
function heard<Value>(socket: Socket, event: string): Promise<Value> {
  return new Promise((resolve) => socket.once(event, resolve));
}

/** The handshake of a WebSocket by hand, with `headers` besides. */
function handshake(path: string, ...headers: string[]): string {
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`;
  return [`GET ${path} HTTP/1.1`, 'Host: server.test', ...upgrade, key, ...headers, '', ''].join('\r\n');
}

const path = '/socket.io/?EIO=4&transport=websocket';

/** The status line that the handshake is answered with. */
async function firstLine(url: string, text: string): Promise<string | undefined> {
  const socket = await openConnection(url);
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString().split('\r\n')[0];
}

describe('Sockets', () => {
  it('reach the namespace of a system', async () => {
    const { url } = await serve([tinySystem()]);
    expect(await open(`${url}/tiny`).emitWithAck('echo', 'hello')).toBe('hello');
  });

  it('have the same namespace where the system is alone', async () => {
    const { url } = await serve([tinySystem()], { atRoot: true });
    expect(await open(`${url}/tiny`).emitWithAck('echo', 'hello')).toBe('hello');
  });

  it.each(['/', '/nothing'])('are refused at %s', async (namespace) => {
    const { url } = await serve([tinySystem()]);
    const error = await heard<Error>(open(url + namespace), 'connect_error');
    expect(error.message).toMatch(/Connect to the namespace of a system|Invalid namespace/);
  });

  it('do not poll', async () => {
    const { url } = await serve([tinySystem()]);
    const { status, json } = await ask(`${url}/socket.io/?EIO=4&transport=polling`);
    expect(status).toBe(400);
    expect(json['detail']).toBe("Sockets use WebSocket alone: connect with { transports: ['websocket'] }.");
    expect(await exchange(url, handshake('/socket.io/?EIO=4&transport=polling'))).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each([
    ['no origin', [], 101],
    ['its own origin', ['Origin: http://server.test'], 101],
    ['a listed origin', ['Origin: https://app.example'], 101],
    ['another origin', ['Origin: https://evil.example'], 403],
    ['the origin null', ['Origin: null'], 403],
  ])('with %s get %j: %i', async (_name, headers, status) => {
    const { url } = await serve([tinySystem()], { variables: { ALLOWED_ORIGINS: 'https://app.example' } });
    expect(await firstLine(url, handshake(path, ...headers))).toContain(`HTTP/1.1 ${status} `);
  });

  it('say in a problem why they refuse', async () => {
    const { url } = await serve([tinySystem()]);
    const answer = await exchange(url, handshake(path, 'Origin: https://evil.example'));
    expect(answer).toContain('\r\nContent-Type: application/problem+json\r\n');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 403, title: 'Forbidden' });
  });

  it.each(['/', '/tiny', '/socket.io', '//', '/socket.iox/?EIO=4&transport=websocket'])(
    'are at no other path than their own: %s',
    async (other) => {
      const { url } = await serve([tinySystem()]);
      expect(await exchange(url, handshake(other))).toMatch(/^HTTP\/1\.1 404 /);
      expect((await ask(`${url}/live`)).status).toBe(200);
    },
  );

  it('offer no compression', async () => {
    const { url } = await serve([tinySystem()]);
    const socket = await openConnection(url);
    socket.write(handshake(path, 'Sec-WebSocket-Extensions: permessage-deflate'));
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 101 /);
    expect(chunk.toString()).not.toContain('permessage-deflate');
  });

  it('are closed by a message over 64 KiB, and take one just below', async () => {
    const { url } = await serve([tinySystem()]);
    const socket = open(`${url}/tiny`, { reconnection: false });
    const large = 'x'.repeat(65_000);
    expect(await socket.emitWithAck('echo', large)).toBe(large);
    socket.emit('echo', 'x'.repeat(65_537), () => undefined);
    const reason = await heard<string>(socket, 'disconnect');
    expect(reason).toBe('transport close');
    expect((await ask(`${url}/live`)).status).toBe(200);
  });

  it('are closed by a stop so that clients come back, and the stop does not wait for them', async () => {
    const first = await serve([tinySystem()]);
    const socket = open(`${first.url}/tiny`);
    await socket.emitWithAck('echo', 1);
    const disconnected = heard<string>(socket, 'disconnect');
    await first.stop();
    expect(await disconnected).toBe('transport close');
    await serve([tinySystem()], { variables: { PORT: new URL(first.url).port } });
    await eventually(() => expect(socket.connected).toBe(true));
    expect(await socket.emitWithAck('echo', 2)).toBe(2);
  });

  it('are cut off by a stop where the client does not answer', async () => {
    const { url, stop } = await serve([tinySystem()]);
    const rude = await openConnection(url);
    rude.write(handshake(path));
    await once(rude, 'data');
    rude.pause();
    const startedAtMs = performance.now();
    await stop();
    expect(performance.now() - startedAtMs).toBeLessThan(3000);
    const closed = once(rude, 'close');
    rude.resume();
    await closed;
  });
});
