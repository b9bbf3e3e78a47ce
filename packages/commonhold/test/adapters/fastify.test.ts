import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  cookieSessions,
  limitRequests,
  requireFresh,
  type RequestSession,
  sessionOf,
} from '../../src/adapters/fastify.js';
import { UnavailableError } from '../../src/errors.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import type { SessionDevice } from '../../src/session/session-device.js';
import type { Sessions } from '../../src/session/session.js';
import type { SharedState } from '../../src/shared-state.js';
import { openState } from '../../src/open-state.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { pause } from '../../src/testing/waiting.js';
import { Browser } from './browser.js';

interface Cart {
  items: string[];
}

declare module '../../src/adapters/fastify.js' {
  interface SessionData {
    items: string[];
  }
}

async function open(): Promise<{ app: FastifyInstance; state: SharedState; listen: () => Promise<Browser> }> {
  const state = await openState({ namespace: 'fastify' });
  const app = fastify();
  onTestFinished(async () => {
    await app.close();
    await state.close();
  });
  const listen = async (): Promise<Browser> => {
    await app.listen({ port: 0, host: '127.0.0.1' });
    return new Browser((app.server.address() as { port: number }).port);
  };
  return { app, state, listen };
}

describe('sessions in Fastify', () => {
  it('S1.9: are typed on the request, by declaration or by their sessions', async () => {
    const { app, state, listen } = await open();
    const sessions = state.sessions<Cart>('shop');
    await app.register(cookieSessions, { sessions });
    app.post<{ Params: { item: string } }>('/cart/:item', async (request) => {
      const declared: readonly string[] = request.session.data.items ?? [];
      await request.session.set({ items: [...declared, request.params.item] });
      // @ts-expect-error -- the session has no such field
      const wrong: Promise<boolean> = request.session.set({ itms: [] });
      await wrong.catch(() => undefined);
      const session: RequestSession<Cart> = sessionOf(request, sessions);
      return { items: session.data.items };
    });
    const browser = await listen();
    await browser.ask('/cart/rose', { body: 1 });
    expect((await browser.ask('/cart/tulip', { body: 1 })).json).toEqual({ items: ['rose', 'tulip'] });
  });

  it('hold for the scope that they are registered in, and those within', async () => {
    const { app, state, listen } = await open();
    const [shop, admin] = [state.sessions<Cart>('shop'), state.sessions<{ level: number }>('admin')];
    app.get('/health', (request) => ({ session: typeof request.session }));
    await app.register(async (scope) => {
      await scope.register(cookieSessions, { sessions: shop });
      await scope.register(async (inner) => {
        inner.get('/shop', async (request) => ({ written: await request.session.set({ items: ['rose'] }) }));
      });
    });
    await app.register(async (scope) => {
      await scope.register(cookieSessions, { sessions: admin, cookie: { name: 'admin' } });
      scope.get('/admin', async (request) => {
        expect(() => sessionOf(request, shop)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
        await sessionOf(request, admin).set({ level: 3 });
        return sessionOf(request, admin).data;
      });
    });
    const browser = await listen();
    expect((await browser.ask('/health')).json).toEqual({ session: 'undefined' });
    expect((await browser.ask('/shop')).json).toEqual({ written: true });
    expect((await browser.ask('/admin')).json).toEqual({ level: 3 });
    expect([...browser.cookies.keys()]).toEqual(['session', 'admin']);
  });

  it('cannot be taken for nobody before they were read', async () => {
    const { app, state, listen } = await open();
    app.addHook('onRequest', async (request) => void (request.url === '/early' && request.session.user));
    await app.register(cookieSessions, { sessions: state.sessions<Cart>('shop') });
    app.get('/*', () => ({}));
    const browser = await listen();
    expect((await browser.ask('/early')).json).toMatchObject({ statusCode: 500, code: 'InvalidArgument' });
    expect((await browser.ask('/late')).status).toBe(200);
  });

  it('are there for hooks, for errors and where no route is', async () => {
    const { app, state, listen } = await open();
    await app.register(cookieSessions, { sessions: state.sessions<Cart>('shop') });
    app.addHook('preHandler', async (request) => void (await request.session.set({ items: ['seen'] })));
    app.get('/fails', () => Promise.reject(new Error('no')));
    app.setNotFoundHandler((request) => ({ missing: request.session.data.items ?? null }));
    const browser = await listen();
    const failed = await browser.ask('/fails');
    expect([failed.status, failed.cookies.length]).toEqual([500, 1]);
    expect((await browser.ask('/nothing')).json).toEqual({ missing: ['seen'] });
  });

  it('stand beside the cookies of a handler', async () => {
    const { app, state, listen } = await open();
    await app.register(cookieSessions, { sessions: state.sessions<Cart>('shop') });
    app.get('/', async (request, reply) => {
      void reply.header('set-cookie', 'a=1').header('cache-control', 'private');
      await request.session.login('ada');
      await request.session.regenerate();
      void reply.header('set-cookie', 'b=2');
      return {};
    });
    const { cookies, headers } = await (await listen()).ask('/');
    expect(cookies.map((cookie) => cookie.slice(0, 2))).toEqual(['a=', 'se', 'b=']);
    expect(headers['cache-control']).toBe('private');
  });

  it('begin nothing in an answer that has gone out', async () => {
    const { app, state, listen } = await open();
    const sessions = state.sessions<Cart>('shop');
    await app.register(cookieSessions, { sessions });
    const results: unknown[] = [];
    app.get('/', async (request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200).write('begun');
      for (const call of [() => request.session.set({ items: [] }), () => request.session.login('ada')]) {
        results.push(await call().catch((error: { code: string }) => error.code));
      }
      results.push(await request.session.logout());
      reply.raw.end();
    });
    await (await listen()).ask('/');
    expect(results).toEqual(['InvalidArgument', 'InvalidArgument', false]);
    expect(await sessions.list('ada')).toEqual([]);
  });

  it('let only who logged in of late to a route that asks for it', async () => {
    const clock = createManualClock();
    const state = await openState({ namespace: 'fresh', memory: createMemoryStore({ clock }), clock });
    const { app, listen } = await open();
    onTestFinished(() => state.close());
    const handled: string[] = [];
    await app.register(cookieSessions, { sessions: state.sessions<Cart>('shop') });
    app.get('/login', ({ session }) => session.login('ada'));
    for (const hook of ['onRequest', 'preHandler'] as const) {
      app.get(`/${hook}`, { [hook]: requireFresh('10m') }, async ({ session }) => {
        handled.push(hook);
        return { user: session.user };
      });
    }
    const browser = await listen();
    const asked = async (): Promise<number[]> => [
      (await browser.ask('/onRequest')).status,
      (await browser.ask('/preHandler')).status,
    ];
    expect(await asked()).toEqual([401, 401]);
    await browser.ask('/login');
    expect(await asked()).toEqual([200, 200]);
    await clock.advance(11 * 60_000);
    expect(await asked()).toEqual([403, 403]);
    expect(handled).toEqual(['onRequest', 'preHandler']);
    expect((await browser.ask('/onRequest')).json).toMatchObject({ error: 'insufficient_user_authentication' });
    expect(() => requireFresh('soon' as '1s')).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });

  it('tell of the device what they are told to', async () => {
    const { app, state, listen } = await open();
    const sessions = state.sessions<Cart>('shop');
    const device = (request: FastifyRequest): SessionDevice => ({ name: 'kiosk', address: request.ip });
    await app.register(cookieSessions, { sessions, device });
    app.get('/login', ({ session }) => session.login('ada'));
    app.get('/end', async ({ session }, reply) => {
      const watched = await session.watch((reason) => void reply.send({ reason }));
      return watched.session === undefined ? { reason: watched.reason } : reply;
    });
    const browser = await listen();
    await browser.ask('/login');
    expect((await sessions.list('ada'))[0]?.device).toEqual({ name: 'kiosk', address: '127.0.0.1' });
    const answer = browser.ask('/end');
    await pause(100);
    await sessions.revokeAll('ada');
    expect((await answer).json).toEqual({ reason: 'revoked' });
    expect((await browser.ask('/end', { cookie: 'a=1' })).json).toEqual({ reason: 'absent' });
  });

  it('refuse at the start what cannot be right', async () => {
    const { state } = await open();
    const sessions = state.sessions<Cart>('shop');
    const wrong = [
      {},
      { sessions: {} },
      { sessions, cookies: { secure: true } },
      { sessions, cookie: { nam: 'x' } },
      { sessions, cookie: { name: 'a b' } },
      { sessions, device: 'phone' },
    ];
    for (const options of wrong) {
      const app = fastify();
      // @ts-expect-error -- these are what the type refuses
      app.register(cookieSessions, options);
      await expect(app.ready()).rejects.toMatchObject({ code: 'InvalidArgument' });
    }
    const placed = fastify();
    placed.register(cookieSessions, { sessions, prefix: '/shop', logLevel: 'warn' });
    await placed.ready();
    const twice = fastify();
    twice.register(cookieSessions, { sessions });
    twice.register(cookieSessions, { sessions });
    await expect(twice.ready()).rejects.toMatchObject({ code: 'FST_ERR_DEC_ALREADY_PRESENT' });
  });
});

describe('limits in Fastify', () => {
  it('S1.8: as onRequest count what the framework itself refuses, as preHandler what reaches the handler', async () => {
    const { app, state, listen } = await open();
    const schema = { body: { type: 'object', required: ['a'] } };
    const early = limitRequests(state.rateLimit('early', '2 per hour'));
    const late = limitRequests(state.rateLimit('late', '2 per hour'));
    app.post('/early', { schema, onRequest: early }, () => ({}));
    app.post('/late', { schema, preHandler: late }, () => ({}));
    const browser = await listen();
    const post = async (path: string, body: unknown): Promise<number> =>
      (await browser.ask(path, { body, headers: { 'Content-Type': 'application/json' } })).status;
    expect([await post('/early', {}), await post('/early', 1), await post('/early', { a: 1 })]).toEqual([
      400, 400, 429,
    ]);
    expect([await post('/late', {}), await post('/late', 1), await post('/late', { a: 1 })]).toEqual([400, 400, 200]);
    expect([await post('/late', { a: 1 }), await post('/late', { a: 1 })]).toEqual([200, 429]);
  });

  it('count by whatever subject is given, with the session at hand', async () => {
    const { app, state, listen } = await open();
    await app.register(cookieSessions, { sessions: state.sessions<Cart>('shop') });
    const byUser = limitRequests(state.rateLimit('a', '1 per hour'), {
      subject: async ({ session, ip }) => session.user ?? ip,
    });
    app.get('/login', ({ session }) => session.login('ada'));
    app.get('/', { preHandler: byUser }, () => ({}));
    const browser = await listen();
    expect([(await browser.ask('/')).status, (await browser.ask('/')).status]).toEqual([200, 429]);
    await browser.ask('/login');
    expect([(await browser.ask('/')).status, (await browser.ask('/')).status]).toEqual([200, 429]);
  });

  it('and sessions answer before the handler, however long the answer takes to go out', async () => {
    const { app, state, listen } = await open();
    const handled: string[] = [];
    app.addHook('onSend', async () => pause(50));
    await app.register(async (scope) => {
      const sessions = { read: () => Promise.reject(new UnavailableError('session.read', 'a test')) };
      await scope.register(cookieSessions, { sessions: sessions as unknown as Sessions<Cart> });
      scope.get('/session', async () => handled.push('session'));
    });
    app.get('/limit', { onRequest: limitRequests(state.rateLimit('a', '1 per hour')) }, async () => {
      handled.push('limit');
      return {};
    });
    const browser = await listen();
    expect((await browser.ask('/session', { cookie: `session=${'ab'.repeat(32)}` })).status).toBe(503);
    expect((await browser.ask('/limit')).status).toBe(200);
    expect((await browser.ask('/limit')).status).toBe(429);
    await pause(100);
    expect(handled).toEqual(['limit']);
  });

  it('give an answer that a response schema does not change', async () => {
    const { app, state, listen } = await open();
    const schema = { response: { '4xx': { type: 'object', properties: { other: { type: 'string' } } } } };
    app.get('/', { schema, onRequest: limitRequests(state.rateLimit('a', '1 per hour')) }, () => ({}));
    const browser = await listen();
    await browser.ask('/');
    expect((await browser.ask('/')).json).toMatchObject({ status: 429, 'violated-policies': ['a'] });
  });

  it('refuse options that are none', async () => {
    const { state } = await open();
    const limit = state.rateLimit('a', '1 per hour');
    for (const options of [{ ipv6Prefix: 0 }, { ipv6Prefix: 129 }, { ipv6Prefix: 1.5 }, { trustedProxies: [] }]) {
      expect(() => limitRequests(limit, options)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    }
  });
});
