import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fastify, type FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as forFastify from '../../src/adapters/fastify.js';
import { idempotentRequests, type IdempotentRequestsOptions } from '../../src/adapters/http.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { eventually } from '../../src/testing/waiting.js';
import { type Got, onEveryKind, post, serveNode } from './keyed-sites.js';

async function open(): Promise<SharedState> {
  const state = await openState({ redis: false, namespace: 'n' });
  onTestFinished(() => state.close());
  return state;
}

const scope = (): string => 'all';

describe('idempotent requests in plain Node', () => {
  type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

  async function site(handle: Listener, more: Partial<IdempotentRequestsOptions> = {}): Promise<string> {
    const serve = idempotentRequests(await open(), { scope, ...more });
    return serveNode((request, response) => serve(request, response, () => handle(request, response)));
  }

  it('leave the body to the handler, however it reads it', async () => {
    const readers: Readonly<Record<string, (request: IncomingMessage) => Promise<string>>> = {
      '/events': async (request) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        await once(request, 'end');
        return Buffer.concat(chunks).toString();
      },
      '/iterated': async (request) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        return Buffer.concat(chunks).toString();
      },
      '/piped': async (request) => {
        const chunks: Buffer[] = [];
        await pipeline(request, new Writable({ write: (chunk: Buffer, _, done) => (chunks.push(chunk), done()) }));
        return Buffer.concat(chunks).toString();
      },
      '/unread': async () => 'unread',
    };
    const url = await site(async (request, response) => {
      response.end(await readers[request.url ?? '']?.(request));
    });
    for (const path of Object.keys(readers)) {
      for (const body of ['', 'x', 'abc\u00e4'.repeat(100_000)]) {
        const got = await post(url + path, `${path}${body.length}`, body);
        expect(got.text === (path === '/unread' ? 'unread' : body), `${path} of ${body.length}`).toBe(true);
      }
    }
  });

  it('read a body that comes in parts, without a length', async () => {
    const url = await site(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.end(Buffer.concat(chunks));
    });
    async function* parts(): AsyncGenerator<Buffer> {
      for (const part of ['a', 'bc', 'd']) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield Buffer.from(part);
      }
    }
    const send = async (): Promise<string> => {
      const body = ReadableStream.from(parts());
      const init = { method: 'POST', headers: { 'Idempotency-Key': 'key' }, body, duplex: 'half' } as RequestInit;
      return (await fetch(url, init)).text();
    };
    expect([await send(), await send()]).toEqual(['abcd', 'abcd']);
    expect((await post(url, 'key', 'abcd')).replayed).toBe(true);
  });

  it('leave the end of a body to the handler, in however many packets it comes', async () => {
    const url = await site(async (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(request, 'end');
      response.end(`<${Buffer.concat(chunks).toString()}>`);
    });
    for (const [key, header, body, ...parts] of [
      ['a', 'Content-Length: 0', ''],
      ['b', 'X-None: 1', ''],
      ['c', 'Transfer-Encoding: chunked', '', '0\r\n\r\n'],
      ['d', 'Transfer-Encoding: chunked', '', '', '0\r\n\r\n'],
      ['e', 'Transfer-Encoding: chunked', 'a', '1\r\na\r\n', '0\r\n\r\n'],
      ['f', 'Content-Length: 3', 'abc', '', 'a', 'bc'],
    ] as const) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      const head = `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIdempotency-Key: ${key}\r\n${header}\r\n\r\n`;
      socket.write(head + (parts[0] ?? ''));
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString()));
      for (const part of parts.slice(1)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        socket.write(part);
      }
      await once(socket, 'close');
      expect(answer.endsWith(`<${body}>`), key).toBe(true);
    }
  });

  it('answer 413 to a body that is too long to be hashed, and run nothing', async () => {
    let ran = 0;
    const url = await site((_, response) => ((ran += 1), response.end()), { maxBodyBytes: 1_000 });
    const got = await post(url, 'key', Buffer.alloc(1_001));
    expect([got.status, got.headers.get('content-type'), ran]).toEqual([413, 'application/problem+json', 0]);
    expect((await post(url, 'key', Buffer.alloc(1_000))).status).toBe(200);
  });

  it('run nothing for a client that goes away before its body is whole', async () => {
    let ran = 0;
    const url = await site((_, response) => ((ran += 1), response.end()));
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nIdempotency-Key: key\r\nContent-Length: 10\r\n\r\nabc');
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.destroy();
    await once(socket, 'close');
    expect((await post(url, 'key', 'abcdefghij')).replayed).toBe(false);
    expect(ran).toBe(1);
  });

  it('say so where somebody has read the body before', async () => {
    const serve = idempotentRequests(await open(), { scope });
    const url = await serveNode(async (request, response) => {
      request.resume();
      await once(request, 'end');
      await serve(request, response, () => response.end());
    });
    expect((await post(url, 'key', 'x')).text).toContain('InvalidArgument');
  });

  it('take an answer in every way in which Node takes one', async () => {
    const answers: Readonly<Record<string, Listener>> = {
      '/end': (_, response) => response.end('abc'),
      '/parts': (_, response) => {
        response.write('a');
        response.write(Buffer.from('b'), () => response.end('Yw==', 'base64'));
      },
      '/head': (_, response) => response.writeHead(202, { 'Content-Type': 'text/x', ETag: '"1"' }).end('abc'),
      '/reason': (_, response) => response.writeHead(202, 'Taken', { ETag: '"1"' }).end('abc'),
      '/pairs': (_, response) => response.writeHead(202, ['ETag', '"1"', 'Link', '</a>']).end('abc'),
      '/flushed': (_, response) => {
        response.setHeader('ETag', '"1"');
        response.flushHeaders();
        setTimeout(() => response.end(new Uint8Array([97, 98, 99])), 5);
      },
      '/told': (_, response) => new Promise<void>((resolve) => response.end('abc', () => resolve())),
      '/twice': (_, response) => {
        response.end('abc');
        response.end('def');
      },
      '/later': (_, response) => void setTimeout(() => response.end('abc'), 20),
    };
    const url = await site((request, response) => answers[request.url ?? '']?.(request, response));
    const shape = ({ status, headers, text }: Got): unknown => [
      status,
      headers.get('content-type'),
      headers.get('etag'),
      headers.get('link'),
      text,
    ];
    for (const path of Object.keys(answers)) {
      const first = await post(url + path, path);
      const again = await post(url + path, path);
      expect([first.text, again.replayed], path).toEqual(['abc', true]);
      expect(shape(again)).toEqual(shape(first));
    }
  });

  it('send every header that a list names several times, as Node does', async () => {
    const lists: Readonly<Record<string, unknown[]>> = {
      '/flat': ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
      '/pairs': [
        ['Set-Cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    };
    const handle: Listener = (request, response) => {
      response.writeHead(200, lists[request.url ?? ''] as string[]).end('abc');
    };
    const [url, plain] = [
      await site(handle),
      await serveNode(async (request, response) => void handle(request, response)),
    ];
    for (const path of Object.keys(lists)) {
      const cookies = (await post(url + path, path)).headers.getSetCookie();
      expect(cookies, path).toEqual(['a=1', 'b=2']);
      expect((await fetch(plain + path, { method: 'POST' })).headers.getSetCookie(), path).toEqual(cookies);
    }
  });

  it('cut off an answer that failed when some of it was written, and do not keep it', async () => {
    let ran = 0;
    const url = await site((_, response) => {
      ran += 1;
      if (ran > 1) return response.end('whole');
      throw response.write('part') ? new Error('no') : new Error('not taken');
    });
    await expect(post(url, 'key')).rejects.toThrow('fetch failed');
    await eventually(async () => expect((await post(url, 'key')).text).toBe('whole'));
  });

  it('free the key of a client that went away before a handler that then answered nothing', async () => {
    let ran = 0;
    const url = await site(async (_, response) => {
      ran += 1;
      if (ran > 1) response.end('answered');
      else await once(response, 'close');
    });
    const leaving = new AbortController();
    const first = post(url, 'key', '', { signal: leaving.signal }).catch(() => 'left');
    await eventually(() => expect(ran).toBe(1));
    leaving.abort();
    await first;
    await eventually(async () => expect((await post(url, 'key')).text).toBe('answered'));
  });

  it('do not leave a client waiting when the option keep fails', async () => {
    let fails = true;
    const url = await site((_, response) => response.end('answered'), {
      keep: () => {
        if (fails) throw new Error('no');
        return true;
      },
    });
    await expect(post(url, 'key')).rejects.toThrow('fetch failed');
    fails = false;
    await eventually(async () => expect((await post(url, 'key')).text).toBe('answered'));
  });
});

describe('idempotent requests in Fastify', () => {
  async function opened(
    routes: (app: FastifyInstance) => void,
    more: Partial<forFastify.IdempotentRequestsOptions> = {},
  ): Promise<string> {
    const app = fastify({ forceCloseConnections: true });
    await app.register(forFastify.idempotentRequests, { state: await open(), scope, ...more });
    routes(app);
    onTestFinished(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  }

  async function postJson(url: string, key: string, body: string): Promise<Got> {
    const headers = { 'Idempotency-Key': key, 'Content-Type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body });
    const replayed = response.headers.get('idempotent-replayed') === 'true';
    return { status: response.status, headers: response.headers, text: await response.text(), replayed };
  }

  it('are bound to what was parsed, and leave out what Fastify refuses', async () => {
    let ran = 0;
    const url = await opened((app) => {
      const schema = { body: { type: 'object', required: ['a'], properties: { a: { type: 'number' } } } };
      app.post('/', { schema }, () => ({ ran: (ran += 1) }));
    });
    expect((await postJson(url, 'key', '{}')).status).toBe(400);
    expect((await postJson(url, 'key', '{"a":')).status).toBe(400);
    expect((await postJson(url, 'key', '{"a":1}')).text).toBe('{"ran":1}');
    const again = await postJson(url, 'key', '{ "a": 1 }');
    expect([again.text, again.replayed]).toEqual(['{"ran":1}', true]);
    expect(again.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await postJson(url, 'key', '{"a":2}')).status).toBe(422);
    expect((await post(`${url}/nothing`, 'key')).status).toBe(404);
  });

  it('keep errors that are answers, by whatever error handler', async () => {
    let ran = 0;
    const url = await opened((app) => {
      app.setErrorHandler((error: Error, _request, reply) => reply.code(409).send({ told: error.message }));
      app.post('/', () => {
        ran += 1;
        throw new Error(`taken ${ran}`);
      });
    });
    for (let n = 0; n < 2; n++) {
      const got = await postJson(url, 'key', '{}');
      expect([got.status, got.text, got.replayed]).toEqual([409, '{"told":"taken 1"}', n > 0]);
    }
  });

  it('keep answers of the web platform, and what is handed to reply.send later', async () => {
    const url = await opened((app) => {
      app.post(
        '/response',
        () => new Response('abc', { status: 202, headers: { 'content-type': 'text/x', etag: '"1"' } }),
      );
      app.post('/web', () => new Blob(['abc']).stream());
      app.post('/later', (_request, reply) => void setTimeout(() => void reply.code(202).send('abc'), 5));
      app.post('/null', (_request, reply) => void reply.code(202).send(null));
    });
    for (const path of ['/response', '/web', '/later', '/null']) {
      const first = await postJson(url + path, path, '{}');
      const again = await postJson(url + path, path, '{}');
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([
        first.status,
        first.text,
        first.headers.get('etag'),
      ]);
      expect([first.text, again.replayed]).toEqual([path === '/null' ? 'null' : 'abc', true]);
    }
  });

  it('remember that a reply was taken out of their sight', async () => {
    let ran = 0;
    const url = await opened((app) => {
      app.post('/', (_request, reply) => {
        ran += 1;
        reply.hijack();
        reply.raw.writeHead(201).end('raw');
      });
    });
    expect((await postJson(url, 'key', '{}')).text).toBe('raw');
    await eventually(async () => expect((await postJson(url, 'key', '{}')).status).toBe(410));
    expect(ran).toBe(1);
  });

  it('are one in nested scopes, and are told to the handler', async () => {
    const state = await open();
    const url = await opened((app) => {
      void app.register(async (inner) => {
        await inner.register(forFastify.idempotentRequests, { state, scope, prefix: '/x', logLevel: 'warn' });
        inner.post('/', (request) => forFastify.idempotentRun(request)?.attempt);
      });
    });
    const first = await postJson(url, 'key', '{}');
    const again = await postJson(url, 'key', '{}');
    expect([first.text, again.text, again.replayed]).toEqual(['1', '1', true]);
  });

  it('say so where a body cannot be told', async () => {
    const url = await opened((app) => {
      app.addHook('preValidation', async (request) => {
        const body: Record<string, unknown> = {};
        request.body = Object.assign(body, { body });
      });
      app.post('/', () => 'no');
      app.addHook('preHandler', async () => undefined);
    });
    expect(JSON.parse((await postJson(url, 'key', '{}')).text)).toMatchObject({ code: 'InvalidArgument' });
  });
});

onEveryKind((start) => {
  it('refuses options that cannot be right', async () => {
    const state = await open();
    const wrong: Record<string, unknown>[] = [
      { scope: undefined },
      { scope: 'user' },
      { name: '' },
      { ttl: 0 },
      { ttl: Infinity },
      { lease: 500 },
      { methods: [] },
      { methods: ['GET'] },
      { methods: ['post'] },
      { headers: ['Content-Length'] },
      { headers: ['a b'] },
      { maxAnswerBytes: -1 },
      { maxAnswerBytes: 2 ** 20 },
      { timeToLive: '1d' },
    ];
    for (const options of wrong) {
      await expect(
        start(state, options as object, () => ({})),
        JSON.stringify(options),
      ).rejects.toMatchObject({
        code: 'InvalidArgument',
      });
    }
    await expect(start({} as SharedState, {}, () => ({}))).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  it('answers 500 where the scope is no text', async () => {
    const url = await start(await open(), { scope: () => undefined as unknown as string }, () => ({ body: 'no' }));
    const got = await post(url, 'key');
    expect([got.status, got.text.includes('InvalidArgument')]).toEqual([500, true]);
  });
});
