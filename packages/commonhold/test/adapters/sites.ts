import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { onTestFinished } from 'vitest';
import {
  answerStoreErrors,
  cookieSessions as fastifySessions,
  limitRequests as fastifyLimit,
  type RequestSession,
  sessionOf,
} from '../../src/adapters/fastify.js';
import {
  cookieSessions,
  limitRequests,
  type Problem,
  problemDocument,
  sendProblem,
  storeProblem,
} from '../../src/adapters/http.js';
import type { SessionCookieOptions } from '../../src/adapters/http/session-cookie.js';
import type { RateLimit } from '../../src/rate-limit/rate-limit.js';
import type { Sessions } from '../../src/session/session.js';

/** What the sessions of these tests hold. */
export interface Visit {
  visits: number;
  cart: string[];
  role: 'user' | 'admin';
  [field: `f${number}`]: number;
}

/** What happens at a path. It gets the session and the body of the request, and returns the body of the answer. */
export type Action = (session: RequestSession<Visit>, body: string) => unknown;

export interface SiteOptions {
  readonly sessions: Sessions<Visit>;
  readonly cookie?: SessionCookieOptions;
  readonly trustedProxies?: string[];
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly limits?: readonly RateLimit[];
  readonly ipv6Prefix?: number;
  /** By path. */
  readonly actions: Readonly<Record<string, Action>>;
}

/** A real server, on a free port of the loopback interface, closed with the test. */
export type StartSite = (options: SiteOptions) => Promise<{ readonly port: number }>;

export const siteKinds: Readonly<Record<string, StartSite>> = { 'node:http': startNodeSite, fastify: startFastifySite };

async function startNodeSite(options: SiteOptions): Promise<{ port: number }> {
  const { trustedProxies = [], ipv6Prefix = 64, cookie = {} } = options;
  const open = cookieSessions(options.sessions, { cookie, trustedProxies });
  const limits = (options.limits ?? []).map((limit) => limitRequests(limit, { trustedProxies, ipv6Prefix }));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      for (const limit of limits) if (!(await limit(request, response))) return;
      const session = await open(request, response);
      const result = await options.actions[request.url ?? '']?.(session, await bodyOf(request));
      response.setHeader('X-Open', String((await open(request, response)) === session));
      response.end(JSON.stringify(result ?? null));
    } catch (error) {
      sendProblem(response, storeProblem(error) ?? failure(error));
    }
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}

async function startFastifySite(options: SiteOptions): Promise<{ port: number }> {
  const { sessions, cookie = {}, trustedProxies, tls, ipv6Prefix = 64 } = options;
  // Fastify's type of an app differs between HTTP and HTTPS; what it does here does not.
  const app = fastify({
    trustProxy: trustedProxies ?? false,
    ...(tls === undefined ? {} : { https: tls as unknown as null }),
  });
  app.setErrorHandler((error, request, reply) => {
    try {
      answerStoreErrors(error, request, reply);
    } catch {
      void reply.code(500).send(failure(error).document);
    }
  });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  for (const limit of options.limits ?? []) app.addHook('onRequest', fastifyLimit(limit, { ipv6Prefix }));
  await app.register(fastifySessions, { sessions, cookie });
  app.all('/*', async (request, reply) => {
    const body = typeof request.body === 'string' ? request.body : '';
    const result = await options.actions[request.url]?.(sessionOf(request, sessions), body);
    return reply
      .header('X-Open', String(Object.is(request.session, sessionOf(request, sessions))))
      .send(JSON.stringify(result ?? null));
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  return { port: (app.server.address() as AddressInfo).port };
}

function failure(error: unknown): Problem {
  const code = (error as { code?: string }).code ?? 'none';
  return { document: problemDocument(500, code), headers: {} };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
