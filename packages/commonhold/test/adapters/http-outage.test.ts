import { describe, expect, it, onTestFinished } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SessionsOptions } from '../../src/session/session-options.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';
import { actions } from './actions.js';
import { type Answer, ask, Browser } from './browser.js';
import { type Action, siteKinds, type StartSite, type Visit } from './sites.js';

interface Outage {
  readonly browser: Browser;
  readonly site: { readonly port: number };
  readonly state: SharedState;
  readonly proxy: FaultProxy;
}

for (const [name, start] of Object.entries(siteKinds)) {
  describe(`${name} without its store`, () => {
    const server = useServer();
    const open = (more: Readonly<Record<string, Action>> = {}, options: SessionsOptions = {}): Promise<Outage> =>
      openOutage(server().port, start, more, options);

    it('S30: knows who was here a moment ago, lets nobody else in, and logs out for good', async () => {
      const { browser, proxy, state, site } = await open();
      const other = await openState({ namespace: 'http', redis: server().url, log });
      const elsewhere = await other.sessions<Visit>('web').create({ user: 'bob' });
      await browser.ask('/login', { body: 'ada' });
      const before = browser.header;
      expect((await browser.ask('/stale')).json).toEqual({ user: 'ada', stale: false });
      proxy.refuse();
      await waitUntil('the loss to be seen', async () => !state.status().connected);
      expect((await browser.ask('/stale')).json).toEqual({ user: 'ada', stale: true });
      for (const path of ['/visit', '/login', '/renew', '/devices'])
        expectAway(await browser.ask(path, { body: 'ada' }));
      for (const path of ['/stale', '/plain', '/logout', '/login']) {
        const answer = await ask(site.port, path, { cookie: `session=${elsewhere.token}` });
        expectAway(answer);
        expect(answer.cookies, path).toEqual([]);
      }
      const out = await browser.ask('/logout');
      expect([out.json['ended'], out.cookies]).toEqual([true, [expect.stringContaining('Max-Age=0')]]);
      const dead = { endReason: 'revoked', stale: false };
      expect((await browser.ask('/stale', { cookie: before })).json).toEqual(dead);
      await proxy.pass();
      await waitUntil('the connection', isBack(state));
      expect((await browser.ask('/stale', { cookie: before })).json).toEqual(dead);
      expect((await other.sessions<Visit>('web').read(before.slice('session='.length))).reason).toBe('revoked');
      expect((await ask(site.port, '/read', { cookie: `session=${elsewhere.token}` })).json['user']).toBe('bob');
      await other.close();
    });

    it('S30: answers 503 to who has a session, and never as if nobody were logged in', async () => {
      const { browser, proxy, state } = await open({}, { away: 'closed' });
      await browser.ask('/login', { body: 'ada' });
      const before = browser.header;
      proxy.refuse();
      await waitUntil('the loss to be seen', async () => !state.status().connected);
      for (const path of ['/read', '/plain', '/visit', '/login', '/logout', '/logout-all']) {
        const answer = await browser.ask(path, { body: 'ada' });
        expectAway(answer);
        expect(answer.cookies, path).toEqual([]);
      }
      await proxy.pass();
      await waitUntil('the connection', isBack(state));
      expect(browser.header).toBe(before);
      expect((await browser.ask('/read')).json['user']).toBe('ada');
      expect((await browser.ask('/logout')).json['ended']).toBe(true);
    });

    it('S30: serves who has no session, and begins none', async () => {
      const { browser, proxy, state } = await open();
      proxy.refuse();
      await waitUntil('the loss to be seen', async () => !state.status().connected);
      expect((await browser.ask('/read')).json).toEqual({ data: {} });
      expect((await browser.ask('/read', { cookie: 'session=garbage' })).json).toEqual({ data: {} });
      for (const path of ['/visit', '/login']) {
        const answer = await browser.ask(path, { body: 'ada' });
        expectAway(answer);
        expect(answer.cookies, path).toEqual([]);
      }
    });

    it('S1.8: answers 503 where a limit cannot be counted', async () => {
      const { state, proxy } = await open();
      const sessions = state.sessions<Visit>('web');
      const site = await start({ sessions, actions, limits: [state.rateLimit('a', '5 per hour', { away: 'closed' })] });
      const browser = new Browser(site.port);
      expect((await browser.ask('/plain')).status).toBe(200);
      proxy.refuse();
      await waitUntil('the loss to be seen', async () => !state.status().connected);
      const answer = await browser.ask('/plain');
      expectAway(answer);
      expect(answer.headers['ratelimit']).toBeUndefined();
    });

    it('F04: answers 503 in bounded time while the store hangs', async () => {
      const { browser, proxy } = await open({}, { away: 'closed' });
      await browser.ask('/login', { body: 'ada' });
      proxy.blackhole();
      const startedAtMs = performance.now();
      expectAway(await browser.ask('/read'));
      expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    });

    it('a logout that may not have happened leaves the cookie, so that it can be done again', async () => {
      let proxy: FaultProxy | undefined;
      const lost: Action = async (session) => {
        proxy?.dropReplyThenReset();
        return { ended: await session.logout() };
      };
      const outage = await open({ '/lost': lost }, { away: 'closed' });
      ({ proxy } = outage);
      const { browser, state } = outage;
      await browser.ask('/login', { body: 'ada' });
      const answer = await browser.ask('/lost');
      expect([answer.status, answer.cookies]).toEqual([503, []]);
      expect(answer.json['detail']).toBe(
        'The store did not answer; this may have been done or not. Look before trying again.',
      );
      await waitUntil('the connection', isBack(state));
      expect((await browser.ask('/read')).json['user']).toBeUndefined();
      expect((await browser.ask('/logout')).cookies).toEqual([expect.stringContaining('Max-Age=0')]);
    });

    it('a login whose answer is lost leaves nobody logged in, and can be done again', async () => {
      let proxy: FaultProxy | undefined;
      const lost: Action = async (session) => {
        proxy?.dropReplyThenReset();
        await session.login('ada');
      };
      const outage = await open({ '/lost': lost });
      ({ proxy } = outage);
      const { browser, state } = outage;
      await browser.ask('/set', { body: { visits: 1 } });
      const answer = await browser.ask('/lost');
      expect([answer.status, answer.cookies]).toEqual([503, []]);
      await waitUntil('the connection', isBack(state));
      expect((await browser.ask('/read')).json['user']).toBeUndefined();
      expect((await browser.ask('/login', { body: 'ada' })).json['user']).toBe('ada');
    });
  });
}

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function openOutage(
  port: number,
  start: StartSite,
  more: Readonly<Record<string, Action>>,
  options: SessionsOptions,
): Promise<Outage> {
  const proxy = await startFaultProxy({ port });
  const state = await openState({ namespace: 'http', redis: `redis://127.0.0.1:${proxy.port}`, log });
  onTestFinished(async () => {
    await state.close();
    await proxy.stop();
  });
  const site = await start({ sessions: state.sessions<Visit>('web', options), actions: { ...actions, ...more } });
  return { browser: new Browser(site.port), site, state, proxy };
}

function expectAway({ status, headers, json }: Answer): void {
  expect([status, headers['content-type'], headers['retry-after']]).toEqual([503, 'application/problem+json', '1']);
  expect(json).toEqual({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: expect.stringMatching(/^The store /),
  });
}

function isBack(state: SharedState): () => Promise<boolean> {
  return () =>
    state.probe().then(
      () => true,
      () => false,
    );
}
