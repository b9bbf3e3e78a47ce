import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { fastify } from 'fastify';
import { describe, onTestFinished } from 'vitest';
import * as forFastify from '../../src/adapters/fastify.js';
import * as forNode from '../../src/adapters/http.js';
import type { SharedState } from '../../src/shared-state.js';
import type { Engine, EngineKind } from '../../src/testing/engine.js';
import { onEveryEngine } from '../engines.js';

/** What a handler answers. */
export interface Told {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer | Readable;
}

/** What a handler is told of a request. */
export interface Served {
  readonly url: string;
  readonly body: string;
  readonly run: forNode.IdempotentRun | undefined;
}

/** What happens to a request, however it is served. */
export type Handle = (served: Served) => Told | Promise<Told>;

type AnyRequest = { readonly headers: IncomingMessage['headers'] };

export type SiteSettings = Partial<forNode.IdempotencyOptions<AnyRequest>>;

const options = (settings: SiteSettings): forNode.IdempotencyOptions<AnyRequest> => ({
  scope: ({ headers }) => String(headers['x-user'] ?? ''),
  ...settings,
});

async function startNode(state: SharedState, settings: SiteSettings, handle: Handle): Promise<string> {
  const once = forNode.idempotentRequests(state, options(settings));
  return serveNode((request, response) =>
    once(request, response, async (run) => {
      const {
        status = 200,
        headers = {},
        body = '',
      } = await handle({
        url: request.url ?? '',
        body: await bodyOf(request),
        run,
      });
      response.writeHead(status, headers);
      if (body instanceof Readable) body.on('error', () => response.destroy()).pipe(response);
      else response.end(body);
    }),
  );
}

/** A server of Node's own, which answers 500 where `listener` fails. */
export async function serveNode(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer((request, response) => {
    void Promise.resolve(listener(request, response)).catch((error: unknown) => {
      const problem = forNode.storeProblem(error);
      const { code = String(error) } = error as { code?: string };
      forNode.sendProblem(response, problem ?? { document: forNode.problemDocument(500, code), headers: {} });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startFastify(state: SharedState, settings: SiteSettings, handle: Handle): Promise<string> {
  const app = fastify({ forceCloseConnections: true });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  await app.register(forFastify.idempotentRequests, { state, ...options(settings) });
  app.all('/*', async (request, reply) => {
    const {
      status = 200,
      headers = {},
      body,
    } = await handle({
      url: request.url,
      body: typeof request.body === 'string' ? request.body : '',
      run: forFastify.idempotentRun(request),
    });
    return reply.code(status).headers(headers).send(body);
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  return url;
}

const kinds = { 'node:http': startNode, fastify: startFastify };

/** Sites of one store. */
export interface KeyedWeb {
  readonly engine: Engine;
  /** The address of a further site, with a state of its own. */
  site(settings: SiteSettings, handle: Handle): Promise<string>;
}

/** Runs `body` for every kind of server on every kind of store. */
export function onEveryKeyedSite(body: (open: () => Promise<KeyedWeb>) => void): void {
  for (const [name, start] of Object.entries(kinds)) {
    describe(name, () => onEveryEngine((kind) => body(() => openWeb(kind(), start))));
  }
}

/** Runs `body` for every kind of server. */
export function onEveryKind(body: (start: typeof startNode) => void): void {
  for (const [name, start] of Object.entries(kinds)) describe(name, () => body(start));
}

async function openWeb(kind: EngineKind, start: typeof startNode): Promise<KeyedWeb> {
  const engine = await kind.start();
  onTestFinished(() => engine.close());
  return { engine, site: async (settings, handle) => start(await engine.open(), settings, handle) };
}

/** What came back. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly replayed: boolean;
}

/** Posts with a key. */
export async function post(
  url: string,
  key: string | undefined,
  body: string | Buffer = '',
  more: { readonly method?: string; readonly user?: string; readonly signal?: AbortSignal } = {},
): Promise<Got> {
  const { method = 'POST', user, signal } = more;
  const response = await fetch(url, {
    method,
    headers: {
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
      ...(user === undefined ? {} : { 'X-User': user }),
      ...(method === 'GET' ? {} : { 'Content-Type': 'text/plain' }),
    },
    ...(method === 'GET' ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, replayed: headers.get('idempotent-replayed') === 'true' };
}

/** Sends one header several times, which `fetch` does not. */
export async function postRaw(url: string, keys: readonly string[]): Promise<number> {
  const request = httpRequest(url, { method: 'POST', headers: { 'Idempotency-Key': keys as string[] } });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
