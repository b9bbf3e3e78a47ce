import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cookieSessions, limitRequests, problemDocument, sendProblem, storeProblem } from '../../src/adapters/http.js';
import { UnavailableError } from '../../src/errors.js';
import type { SharedState } from '../../src/shared-state.js';
import { openState } from '../../src/open-state.js';
import { ask } from './browser.js';

async function open(): Promise<SharedState> {
  const state = await openState({ namespace: 'http' });
  onTestFinished(() => state.close());
  return state;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

async function serve(listener: Listener): Promise<number> {
  const server = createServer((request, response) => void listener(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('sessions in plain Node', () => {
  it('begin nothing in an answer that has gone out', async () => {
    const sessions = (await open()).sessions<{ n: number }>('web');
    const session = cookieSessions(sessions);
    const port = await serve(async (request, response) => {
      response.write('begun');
      const opened = await session(request, response);
      const results = [opened.set({ n: 1 }), opened.login('ada')].map((call) =>
        call.catch((error: { code: string }) => error.code),
      );
      response.end(` ${String(await Promise.all(results))} ${String(await opened.logout())}`);
    });
    expect((await ask(port, '/')).json).toEqual({ value: 'begun InvalidArgument,InvalidArgument false' });
    expect(await sessions.list('ada')).toEqual([]);
  });

  it('S19: can be read and ended at an upgrade, where there is no answer', async () => {
    const sessions = (await open()).sessions<{ n: number }>('web');
    const session = cookieSessions(sessions);
    const { token } = await sessions.create({ user: 'ada' });
    const server = createServer();
    server.on('upgrade', (request, socket) => {
      void (async () => {
        const opened = await session(request);
        const user = opened.user ?? 'nobody';
        const login = await opened.login('bob').catch((error: { code: string }) => error.code);
        socket.end(
          `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${user} ${String(login)} ${String(await opened.logout())}`,
        );
      })();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: session=${token}\r\n\r\n`,
    );
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toContain('\r\n\r\nada InvalidArgument true');
    expect((await sessions.read(token)).reason).toBe('revoked');
  });

  it('are read once a request, and again where that failed', async () => {
    const sessions = (await open()).sessions('web');
    const { token } = await sessions.create({ user: 'ada' });
    let failing = true;
    const shaky = {
      read: (given: string) =>
        failing ? Promise.reject(new UnavailableError('session.read', 'a test')) : sessions.read(given),
    };
    const session = cookieSessions(shaky as unknown as typeof sessions);
    const port = await serve(async (request, response) => {
      const first = await session(request, response).then(
        () => 'read',
        (error: { code: string }) => error.code,
      );
      failing = false;
      const second = await session(request, response);
      response.end(`${first} ${second.user} ${String(second === (await session(request, response)))}`);
    });
    expect((await ask(port, '/', { cookie: `session=${token}` })).json).toEqual({ value: 'Unavailable ada true' });
  });

  it('refuse options that are none', async () => {
    const state = await open();
    const sessions = state.sessions('web');
    const limit = state.rateLimit('a', '1 per hour');
    const wrong = { code: 'InvalidArgument' };
    expect(() => cookieSessions(sessions, { name: 'x' } as object)).toThrow(expect.objectContaining(wrong));
    expect(() => cookieSessions(sessions, { trustedProxies: ['nobody'] })).toThrow(expect.objectContaining(wrong));
    expect(() => limitRequests(limit, { trustProxy: true } as object)).toThrow(expect.objectContaining(wrong));
    expect(() => limitRequests(limit, { ipv6Prefix: 0 })).toThrow(expect.objectContaining(wrong));
  });
});

describe('limits in plain Node', () => {
  it('share a count among clients without an address, as on a Unix socket', async () => {
    const state = await open();
    const limit = limitRequests(state.rateLimit('a', '1 per hour'), { trustedProxies: ['10.0.0.0/8'] });
    const directory = await mkdtemp(join(tmpdir(), 'commonhold-unix-'));
    const server = createServer((request, response) => {
      void limit(request, response).then((admitted) => (admitted ? response.end() : undefined));
    });
    const socketPath = join(directory, 'socket');
    server.listen(socketPath);
    await once(server, 'listening');
    onTestFinished(async () => {
      server.close();
      await rm(directory, { recursive: true });
    });
    const statuses = [];
    for (let hit = 0; hit < 2; hit++) {
      const headers = { 'X-Forwarded-For': `1.1.1.${hit}` };
      const sent = httpRequest({ socketPath, agent: false, headers }).end();
      const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
      response.resume();
      statuses.push(response.statusCode);
    }
    expect(statuses).toEqual([200, 429]);
  });

  it('count by whatever subject is given', async () => {
    const state = await open();
    const limit = limitRequests(state.rateLimit('a', '1 per hour'), {
      subject: (request) => String(request.headers['x-key']),
    });
    const port = await serve((request, response) => {
      void limit(request, response).then((admitted) => (admitted ? response.end() : undefined));
    });
    const status = async (key: string): Promise<number> => (await ask(port, '/', { headers: { 'X-Key': key } })).status;
    expect([await status('a'), await status('a'), await status('b')]).toEqual([200, 429, 200]);
  });
});

describe('problems', () => {
  it('hold what is given, and cannot lose the four standard members', () => {
    expect(problemDocument(404, 'Nothing here.')).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'Nothing here.',
    });
    const members = { status: 200, detail: 'x', type: 'y', title: 'z', more: 1 };
    expect(problemDocument(400, 'No.', { type: 'https://x.org/no', title: 'No', members })).toEqual({
      type: 'https://x.org/no',
      title: 'No',
      status: 400,
      detail: 'No.',
      more: 1,
    });
  });

  it('are made of the errors of a store that is away, and of no others', () => {
    expect(storeProblem(new UnavailableError('cache.get', 'a test'))?.document.status).toBe(503);
    for (const error of [new Error('no'), undefined, null, 'Unavailable', { code: 'Unavailable' }]) {
      expect(storeProblem(error)).toBeUndefined();
    }
  });

  it('cut an answer off that has begun', async () => {
    const port = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('begun', () => sendProblem(response, { document: problemDocument(500, 'No.'), headers: {} }));
    });
    await expect(ask(port, '/')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
