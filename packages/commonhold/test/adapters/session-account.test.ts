import { expect, it } from 'vitest';
import { onEverySite } from './actions.js';

onEverySite((open) => {
  it('S8: shows a user the devices they are logged in on, and ends one', async () => {
    const web = await open();
    const [phone, desk] = [await web.visit(), await web.visit()];
    const from = (agent: string): { headers: Record<string, string> } => ({ headers: { 'User-Agent': agent } });
    await phone.ask('/login', { body: 'ada', ...from(`Phone/1.0 ${'x'.repeat(500)}`) });
    await desk.ask('/set', { body: { visits: 1 }, ...from('never shown') });
    await desk.ask('/login', { body: 'ada', ...from('Desk/1.0') });
    expect((await (await web.visit()).ask('/devices')).json).toEqual({ devices: [] });
    const devices = (await desk.ask('/devices')).json['devices'] as { id: string; current: boolean }[];
    expect([devices.length, devices.filter(({ current }) => current).length]).toEqual([2, 1]);
    expect(devices.find(({ current }) => current)).toMatchObject({ device: { userAgent: 'Desk/1.0' } });
    const other = devices.find(({ current }) => !current);
    expect(other).toMatchObject({ device: { userAgent: `Phone/1.0 ${'x'.repeat(246)}` } });
    expect((await desk.ask('/logout-one', { body: 'nobody' })).json['ended']).toBe(false);
    expect((await desk.ask('/logout-one', { body: other?.id })).json).toEqual({ ended: true, user: 'ada' });
    expect((await phone.ask('/read')).json['endReason']).toBe('revoked');
    const own = devices.find(({ current }) => current)?.id;
    const last = await desk.ask('/logout-one', { body: own });
    expect([last.json, last.cookies.length, desk.header]).toEqual([{ ended: true }, 1, '']);
  });

  it('S2: renews the token under requests that are on their way, which may read and no more', async () => {
    const web = await open({ grace: '10s' });
    const browser = await web.visit();
    await browser.ask('/login', { body: 'ada' });
    const before = browser.header;
    expect((await browser.ask('/renew')).json).toEqual({ done: true, user: 'ada', data: { role: 'user' } });
    expect(browser.header).not.toBe(before);
    const late = await browser.ask('/read', { cookie: before });
    expect([late.json['user'], late.cookies]).toEqual(['ada', []]);
    for (const path of ['/visit', '/renew', '/regenerate']) {
      const answer = await browser.ask(path, { cookie: before });
      expect([answer.json['written'] ?? answer.json['done'], answer.cookies], path).toEqual([false, []]);
    }
    expect((await browser.ask('/visit')).json).toMatchObject({ written: true, data: { visits: 1 } });
    await web.engine.advance(11_000);
    expect((await browser.ask('/read', { cookie: before })).json['endReason']).toBe('revoked');
    expect((await browser.ask('/read')).json['user']).toBe('ada');
  });

  it('S6: a logout or a login by the token of before the renewal ends the session as well', async () => {
    const web = await open();
    const browser = await web.visit();
    for (const path of ['/logout', '/login']) {
      await browser.ask('/login', { body: 'ada' });
      const before = browser.header;
      await browser.ask('/renew');
      const renewed = browser.header;
      await browser.ask(path, { cookie: before, body: 'ada' });
      expect((await browser.ask('/read', { cookie: renewed })).json['endReason'], path).toBe('revoked');
    }
    expect(await web.sessions.list('ada')).toHaveLength(1);
  });

  it('asks for a login of late where that matters, and takes one of the same user', async () => {
    const web = await open({ idle: '1h' });
    const browser = await web.visit();
    const nobody = { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'Nobody is logged in.' };
    expect((await browser.ask('/fresh')).json).toEqual(nobody);
    await browser.ask('/set', { body: { visits: 1 } });
    expect((await browser.ask('/fresh')).json).toEqual(nobody);
    await browser.ask('/login', { body: 'ada' });
    expect((await browser.ask('/fresh')).json).toEqual({ fresh: true });
    await web.engine.advance(11 * 60_000);
    expect((await browser.ask('/fresh')).json).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'This needs a login of the last 600 s. Log in again, and then try again.',
      error: 'insufficient_user_authentication',
      max_age: 600,
    });
    const before = browser.header;
    await browser.ask('/regenerate');
    expect((await browser.ask('/fresh')).json['status']).toBe(403);
    await browser.ask('/login', { body: 'ada' });
    expect((await browser.ask('/fresh')).json).toEqual({ fresh: true });
    expect((await browser.ask('/read')).json['data']).toMatchObject({ visits: 1 });
    expect((await browser.ask('/read', { cookie: before })).json['endReason']).toBe('revoked');
  });

  it('S8: answers 409 to a login too many where the sessions refuse it, and changes nothing', async () => {
    const web = await open({ maxPerUser: 1, whenFull: 'refuse' });
    const [first, second] = [await web.visit(), await web.visit()];
    await first.ask('/login', { body: 'ada' });
    await second.ask('/set', { body: { cart: ['rose'] } });
    const refused = await second.ask('/login', { body: 'ada' });
    expect([refused.status, refused.headers['content-type']]).toEqual([409, 'application/problem+json']);
    expect((await second.ask('/read')).json['data']).toEqual({ cart: ['rose'] });
    await first.ask('/logout');
    expect((await second.ask('/login', { body: 'ada' })).json).toMatchObject({ user: 'ada', data: { cart: ['rose'] } });
  });
});
