import { expect, it } from 'vitest';
import { onEverySite } from './actions.js';
import { Browser } from './browser.js';

const issued = /^session=([0-9a-f]{64}); Path=\/; HttpOnly; SameSite=Lax$/;
const removed = 'session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT';

onEverySite((open) => {
  it('S1.9: sets no cookie until something is stored, then one, HttpOnly and SameSite=Lax', async () => {
    const browser = await (await open()).visit();
    for (const path of ['/read', '/plain', '/logout', '/logout-all', '/regenerate', '/unset', '/logout-others']) {
      const answer = await browser.ask(path);
      expect([answer.status, answer.cookies], path).toEqual([200, []]);
      expect(answer.headers['cache-control']).toBeUndefined();
    }
    expect((await browser.ask('/set', { body: {} })).cookies).toEqual([]);
    const answer = await browser.ask('/set', { body: { visits: 1 } });
    expect(answer.json).toEqual({ written: true, data: { visits: 1 } });
    expect(answer.cookies).toEqual([expect.stringMatching(issued)]);
    expect(answer.headers['cache-control']).toBe('no-store');
    for (const path of ['/read', '/visit']) expect((await browser.ask(path)).cookies, path).toEqual([]);
  });

  it('S1.9: has the fields at the next request, at every server', async () => {
    const web = await open();
    const [browser, elsewhere] = [await web.visit(), await web.visit()];
    await browser.ask('/set', { body: { visits: 1, cart: ['rose'] } });
    await browser.ask('/set', { body: { visits: 2 } });
    const { json } = await elsewhere.ask('/read', { cookie: browser.header });
    expect(json).toEqual({ id: expect.any(String), data: { visits: 2, cart: ['rose'] } });
    expect((await elsewhere.ask('/unset', { cookie: browser.header })).json).toEqual({
      written: true,
      data: { visits: 2 },
    });
    expect((await browser.ask('/read')).json['data']).toEqual({ visits: 2 });
  });

  it('S2: takes a new token at login, and the old one is dead at once', async () => {
    const web = await open();
    const browser = await web.visit();
    await browser.ask('/set', { body: { cart: ['rose'] } });
    const before = browser.header;
    const answer = await browser.ask('/login', { body: 'ada' });
    expect(answer.cookies).toEqual([expect.stringMatching(issued)]);
    expect(browser.header).not.toBe(before);
    expect(answer.json).toMatchObject({ user: 'ada', data: { cart: ['rose'], role: 'user' } });
    expect((await browser.ask('/read')).json).toMatchObject({ user: 'ada', data: { cart: ['rose'], role: 'user' } });
    const thief = new Browser((await web.visit()).port);
    expect((await thief.ask('/read', { cookie: before })).json).toEqual({ data: {}, endReason: 'revoked' });
  });

  it('S2: never takes over a token that it did not issue', async () => {
    const browser = await (await open()).visit();
    const planted = 'ab'.repeat(32);
    expect((await browser.ask('/read', { cookie: `session=${planted}` })).json).toEqual({
      data: {},
      endReason: 'absent',
    });
    const answer = await browser.ask('/login', { cookie: `session=${planted}`, body: 'ada' });
    expect(answer.cookies).toEqual([expect.stringMatching(issued)]);
    expect(browser.header).not.toContain(planted);
    expect((await browser.ask('/read', { cookie: `session=${planted}` })).json).toEqual({
      data: {},
      endReason: 'absent',
    });
  });

  it('a login as somebody else takes over nothing, and ends the session before', async () => {
    const browser = await (await open()).visit();
    await browser.ask('/login', { body: 'ada' });
    await browser.ask('/set', { body: { cart: ['rose'], role: 'admin' } });
    const before = browser.header;
    expect((await browser.ask('/login', { body: 'bob' })).json).toMatchObject({ user: 'bob', data: { role: 'user' } });
    expect((await browser.ask('/read')).json['data']).toEqual({ role: 'user' });
    expect((await browser.ask('/read', { cookie: before })).json).toMatchObject({ endReason: 'revoked' });
  });

  it('S6: ends the session at logout and removes the cookie', async () => {
    const web = await open();
    const browser = await web.visit();
    await browser.ask('/login', { body: 'ada' });
    const before = browser.header;
    const answer = await browser.ask('/logout');
    expect(answer.json).toEqual({ ended: true, data: {} });
    expect(answer.cookies).toEqual([removed]);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(browser.header).toBe('');
    const elsewhere = await web.visit();
    expect((await elsewhere.ask('/read', { cookie: before })).json).toEqual({ data: {}, endReason: 'revoked' });
    // A browser that kept the cookie is told to remove it again.
    const again = await elsewhere.ask('/logout', { cookie: before });
    expect([again.json['ended'], again.cookies]).toEqual([false, [removed]]);
    expect(await web.sessions.list('ada')).toEqual([]);
  });

  it('S7: ends all sessions of a user, or all others', async () => {
    const web = await open();
    const browsers = [await web.visit(), await web.visit(), await web.visit()] as const;
    for (const browser of browsers) await browser.ask('/login', { body: 'ada' });
    const stranger = await web.visit();
    await stranger.ask('/login', { body: 'bob' });
    const [first, second, third] = browsers;
    expect((await first.ask('/logout-others')).json).toEqual({ ended: 2, user: 'ada' });
    expect((await second.ask('/read')).json).toEqual({ data: {}, endReason: 'revoked' });
    await third.ask('/login', { body: 'ada' });
    const last = await first.ask('/logout-all');
    expect([last.json, last.cookies]).toEqual([{ ended: 2 }, [removed]]);
    expect((await third.ask('/read')).json['user']).toBeUndefined();
    expect((await stranger.ask('/read')).json['user']).toBe('bob');
  });

  it('logging out everywhere as nobody ends the session there is', async () => {
    const browser = await (await open()).visit();
    await browser.ask('/set', { body: { visits: 1 } });
    const answer = await browser.ask('/logout-all');
    expect([answer.json, answer.cookies]).toEqual([{ ended: 1 }, [removed]]);
  });

  it('takes a new token when asked to, and keeps user and data', async () => {
    const browser = await (await open()).visit();
    await browser.ask('/login', { body: 'ada' });
    const before = browser.header;
    const answer = await browser.ask('/regenerate');
    expect(answer.json).toEqual({ done: true, user: 'ada', data: { role: 'user' } });
    expect(browser.header).not.toBe(before);
    expect((await browser.ask('/read')).json['user']).toBe('ada');
    expect((await browser.ask('/read', { cookie: before })).json).toEqual({ data: {}, endReason: 'revoked' });
  });

  it('S5: ends by both lifetimes, and says which', async () => {
    const web = await open({ idle: '10m', absolute: '15m', remember: '1h' });
    const browser = await web.visit();
    await browser.ask('/login', { body: 'ada' });
    await web.engine.advance(8 * 60_000);
    expect((await browser.ask('/read')).json['user']).toBe('ada');
    await web.engine.advance(8 * 60_000);
    expect((await browser.ask('/read')).json).toEqual({ data: {}, endReason: 'absolute' });
    await browser.ask('/login', { body: 'ada' });
    await web.engine.advance(11 * 60_000);
    expect((await browser.ask('/read')).json).toEqual({ data: {}, endReason: 'idle' });
    // What expired is over and in nobody's way.
    const answer = await browser.ask('/set', { body: { visits: 1 } });
    expect([answer.json['written'], answer.cookies]).toEqual([true, [expect.stringMatching(issued)]]);
    expect((await browser.ask('/read')).json).toMatchObject({ data: { visits: 1 } });
  });

  it('opens the live one of several cookies of its name', async () => {
    const web = await open();
    const browser = await web.visit();
    await browser.ask('/login', { body: 'ada' });
    const live = browser.header;
    const dead = [
      'session=',
      'session=x',
      'session="y"',
      `session=${'ab'.repeat(32)}`,
      'Session=1',
      'session',
      'a=b=c',
    ];
    for (const cookie of [[live, ...dead], [...dead, live], [live, live], [` ${live}`]]) {
      expect((await browser.ask('/read', { cookie: cookie.join('; ') })).json['user']).toBe('ada');
    }
    expect((await browser.ask('/read', { cookie: dead.join(';') })).json).toEqual({ data: {}, endReason: 'absent' });
    await web.sessions.revokeAll('ada');
    for (const cookie of [
      [live, ...dead],
      [...dead, live],
    ]) {
      expect((await browser.ask('/read', { cookie: cookie.join('; ') })).json['endReason']).toBe('revoked');
    }
  });

  it('of several live sessions uses the first, and leaves only one at login and none at logout', async () => {
    const web = await open();
    const browser = await web.visit();
    async function twoSessions(): Promise<[string, string]> {
      const tokens = await Promise.all([
        web.sessions.create({ data: { visits: 1 } }),
        web.sessions.create({ data: { visits: 2 } }),
      ]);
      return tokens.map(({ token }) => `session=${token}`) as [string, string];
    }
    const [first, second] = await twoSessions();
    const both = `${first}; ${second}`;
    expect((await browser.ask('/read', { cookie: both })).json['data']).toEqual({ visits: 1 });
    await browser.ask('/login', { cookie: both, body: 'ada' });
    for (const cookie of [first, second]) {
      expect((await browser.ask('/read', { cookie })).json).toEqual({ data: {}, endReason: 'revoked' });
    }
    expect((await browser.ask('/read', { cookie: `${both}; ${browser.header}` })).json['user']).toBe('ada');
    const others = await twoSessions();
    await browser.ask('/logout', { cookie: others.join('; ') });
    for (const cookie of others) expect((await browser.ask('/read', { cookie })).json['endReason']).toBe('revoked');
  });

  it('reads whatever a client sends as a cookie', async () => {
    const browser = await (await open()).visit();
    const many = Array.from({ length: 150 }, (_, n) => `session=${n.toString(16).padStart(64, '0')}`).join('; ');
    const junk = [
      many,
      ';;;',
      '=',
      'session',
      '__proto__=1',
      `session=${'a'.repeat(9_000)}`,
      'session=\u00e9',
      'session=%61',
    ];
    for (const cookie of junk) {
      const answer = await browser.ask('/read', { cookie });
      expect([answer.status, answer.json['user']], cookie.slice(0, 40)).toEqual([200, undefined]);
    }
  });

  it('keeps the name, the path, the domain and the age that it was told', async () => {
    const cookie = { name: 'sid', sameSite: 'strict', path: '/app', domain: 'example.com', maxAge: '7d' } as const;
    const browser = await (await open()).visit({ cookie });
    const scope = 'Domain=example.com; Path=/app; HttpOnly; SameSite=Strict';
    const answer = await browser.ask('/set', { body: { visits: 1 } });
    expect(answer.cookies).toEqual([expect.stringMatching(new RegExp(`^sid=[0-9a-f]{64}; ${scope}; Max-Age=604800$`))]);
    const past = 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT';
    expect((await browser.ask('/logout')).cookies).toEqual([`sid=; ${scope}; ${past}`]);
  });
});
