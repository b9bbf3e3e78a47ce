import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { actions, onEverySite } from './actions.js';
import type { Action } from './sites.js';

/** An action that waits in the middle, until the test lets it go on. */
function heldUp(action: Action): { action: Action; reached: Promise<void>; goOn: () => void } {
  let reach = (): void => undefined;
  let goOn = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const held: Action = async (session, body) => {
    reach();
    await gate;
    return action(session, body);
  };
  return { action: held, reached, goOn };
}

onEverySite((open) => {
  for (const path of ['/set', '/visit', '/regenerate'] as const) {
    it(`S6: a slow ${path} does not bring a session back after logout`, async () => {
      const web = await open();
      const slow = heldUp(actions[path] as Action);
      const browser = await web.visit({ actions: { ...actions, '/slow': slow.action } });
      await browser.ask('/login', { body: 'ada' });
      const before = browser.header;
      const answer = browser.ask('/slow', { cookie: before, body: { visits: 1 } });
      await slow.reached;
      await browser.ask('/logout');
      slow.goOn();
      const { status, json, cookies } = await answer;
      expect([status, json['written'] ?? json['done'], cookies]).toEqual([200, false, []]);
      expect((await browser.ask('/read', { cookie: before })).json).toEqual({ data: {}, endReason: 'revoked' });
      expect(await web.sessions.list('ada')).toEqual([]);
    });
  }

  it('a request that finds its session over begins no other, until it logs in', async () => {
    const web = await open();
    const slow = heldUp(async (session) => {
      const written = [await session.set({ visits: 1 }), await session.update(() => ({ visits: 2 }))];
      const found = { written, id: session.id, done: await session.regenerate() };
      await session.login('bob', { visits: 3 });
      return { ...found, data: session.data };
    });
    const browser = await web.visit({ actions: { ...actions, '/slow': slow.action } });
    await browser.ask('/login', { body: 'ada' });
    const answer = browser.ask('/slow');
    await slow.reached;
    await web.sessions.revokeAll('ada');
    slow.goOn();
    expect((await answer).json).toEqual({ written: [false, false], done: false, data: { visits: 3 } });
    expect((await browser.ask('/read')).json).toMatchObject({ user: 'bob', data: { visits: 3 } });
  });

  it('a slow write of somebody not yet known does not replace the cookie of a login', async () => {
    const web = await open();
    const slow = heldUp(actions['/set'] as Action);
    const browser = await web.visit({ actions: { ...actions, '/slow': slow.action } });
    await browser.ask('/set', { body: { visits: 1 } });
    const before = browser.header;
    const answer = browser.ask('/slow', { cookie: before, body: { visits: 2 } });
    await slow.reached;
    await browser.ask('/login', { body: 'ada' });
    slow.goOn();
    expect(await answer).toMatchObject({ json: { written: false, data: {} }, cookies: [] });
    // One that was sent before the login and read after it.
    expect(await browser.ask('/set', { cookie: before, body: { visits: 3 } })).toMatchObject({
      json: { written: false, data: {} },
      cookies: [],
    });
    expect((await browser.ask('/read')).json).toMatchObject({ user: 'ada', data: { visits: 1 } });
    // Where the session is revoked for good, login and logout both lead on.
    await browser.ask('/logout', { cookie: before });
    expect((await browser.ask('/set', { body: { visits: 4 } })).json['written']).toBe(true);
    expect((await browser.ask('/login', { cookie: before, body: 'ada' })).json['user']).toBe('ada');
  });

  it('S6: requests at the same time lose no field and no count', async () => {
    const web = await open();
    const sites = [await web.visit(), await web.visit()] as const;
    const [browser, other] = sites;
    await browser.ask('/login', { body: 'ada' });
    const cookie = browser.header;
    const requests = Array.from({ length: 24 }, (_, n) => [
      (sites[n % 2] ?? other).ask('/visit', { cookie }),
      (sites[n % 2] ?? other).ask('/set', { cookie, body: { [`f${n}`]: n } }),
    ]);
    for (const { json } of await Promise.all(requests.flat())) expect(json['written']).toBe(true);
    const { data } = (await browser.ask('/read')).json;
    const fields = Object.fromEntries(Array.from({ length: 24 }, (_, n) => [`f${n}`, n]));
    expect(data).toEqual({ role: 'user', visits: 24, ...fields });
  });

  it('of many logins at the same time each has a session of its own, and the token before is dead', async () => {
    const web = await open();
    const browser = await web.visit();
    await browser.ask('/set', { body: { cart: ['rose'] } });
    const before = browser.header;
    const logins = await Promise.all(
      Array.from({ length: 5 }, () => browser.ask('/login', { cookie: before, body: 'ada' })),
    );
    const cookies = logins.map((login) => login.cookies[0]?.split(';')[0] ?? '');
    expect(new Set(cookies).size).toBe(5);
    const carts = [];
    for (const cookie of cookies) {
      const { user, data } = (await browser.ask('/read', { cookie })).json as {
        user: string;
        data: { cart?: string[] };
      };
      expect(user).toBe('ada');
      carts.push(...(data.cart ?? []));
    }
    expect(carts).toEqual(['rose']);
    expect((await browser.ask('/read', { cookie: before })).json).toEqual({ data: {}, endReason: 'revoked' });
  });

  it('first writes of one request begin one session, with one cookie', async () => {
    const web = await open();
    const together: Action = async (session) => {
      const writes = [session.set({ visits: 1 }), session.update(({ visits = 0 }) => ({ visits: visits + 1 }))];
      const login = session.login('ada', { role: 'user' });
      await Promise.all([...writes, session.set({ cart: ['rose'] }), login]);
      return session.data;
    };
    const browser = await web.visit({ actions: { ...actions, '/together': together } });
    const { json, cookies } = await browser.ask('/together');
    expect(json).toEqual({ visits: 2, cart: ['rose'], role: 'user' });
    expect(cookies).toHaveLength(1);
    expect((await browser.ask('/read')).json).toMatchObject({ user: 'ada', data: json });
    expect(await web.sessions.list('ada')).toHaveLength(1);
  });

  it('a logout and a new beginning in one request leave the new cookie', async () => {
    const web = await open();
    const anew: Action = async (session) => {
      await session.logout();
      return { written: await session.set({ visits: 7 }), user: session.user };
    };
    const browser = await web.visit({ actions: { ...actions, '/anew': anew } });
    await browser.ask('/login', { body: 'ada' });
    const { json, cookies } = await browser.ask('/anew');
    expect([json, cookies.length]).toEqual([{ written: true }, 1]);
    expect((await browser.ask('/read')).json).toEqual({ id: expect.any(String), data: { visits: 7 } });
    expect((await web.sessions.list('ada')).length).toBe(0);
  });

  it('S10: shows the token to nobody but the browser', async () => {
    const web = await open();
    let shown = '';
    const show: Action = (session) =>
      (shown = inspect(session, { depth: 9, showHidden: true }) + JSON.stringify(session));
    const browser = await web.visit({ actions: { ...actions, '/show': show } });
    await browser.ask('/login', { body: 'ada' });
    await browser.ask('/show');
    const [, token = ''] = browser.header.split('=');
    expect(token).toHaveLength(64);
    expect(shown).not.toContain(token);
  });

  it('data that a session cannot hold are refused, and nothing of it stays', async () => {
    const browser = await (await open()).visit();
    const incompressible = randomBytes(75_000).toString('base64');
    const answer = await browser.ask('/set', { body: { cart: [incompressible] } });
    expect([answer.status, answer.json['detail'], answer.cookies]).toEqual([500, 'ValueTooLarge', []]);
    await browser.ask('/set', { body: { visits: 1 } });
    expect((await browser.ask('/set', { body: { cart: [incompressible] } })).status).toBe(500);
    expect((await browser.ask('/visit')).json['data']).toEqual({ visits: 2 });
    expect((await browser.ask('/login', { body: '' })).json['detail']).toBe('InvalidArgument');
    expect((await browser.ask('/read')).json['data']).toEqual({ visits: 2 });
  });
});
