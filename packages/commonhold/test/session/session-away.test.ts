import { describe, expect, it } from 'vitest';
import type { OpenOptions } from '../../src/options.js';
import type { Sessions } from '../../src/session/session.js';
import type { SessionsOptions } from '../../src/session/session-options.js';
import { eventually } from '../../src/testing/waiting.js';
import { type OutageSite, useOutages } from '../outage.js';

const unavailable = { code: 'Unavailable' };

async function openSessions(site: OutageSite, options?: SessionsOptions, open?: OpenOptions): Promise<Sessions<Data>> {
  return (await site.open(open)).sessions<Data>('s', options);
}

type Data = { n?: number; bytes?: Buffer };

const codeOf = (error: { readonly code: string }): string => error.code;

describe('sessions without Redis', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('SE: serve who was seen a short while ago, flagged, and let nobody in', async () => {
    const site = await start();
    const [sessions, other] = [await openSessions(site), await openSessions(site)];
    const bytes = Buffer.from([0, 255]);
    const { token } = await sessions.create({ user: 'ada', data: { n: 1, bytes } });
    await sessions.set(token, { n: 2 });
    const elsewhere = await other.create({ user: 'bob' });
    await site.leave();
    const { session } = await sessions.read(token);
    expect(session).toMatchObject({ user: 'ada', data: { n: 2, bytes }, stale: true, version: 2 });
    // What is handed out is a copy.
    session?.data.bytes?.fill(1);
    expect((await sessions.read(token)).session?.data.bytes).toEqual(bytes);
    for (const call of [
      () => sessions.read(elsewhere.token),
      () => sessions.create({ user: 'ada' }),
      () => sessions.set(token, { n: 3 }),
      () => sessions.update(token, () => ({ n: 3 })),
      () => sessions.rotate(token, { user: 'ada' }),
      () => sessions.renew(token),
      () => sessions.list('ada'),
      () => sessions.revoke(token, { durable: true }),
    ]) {
      await expect(call()).rejects.toMatchObject(unavailable);
    }
    await site.comeBack();
    const back = await sessions.read(token);
    expect(back.session).toMatchObject({ data: { n: 2 }, version: 2 });
    expect(back.session).not.toHaveProperty('stale');
  });

  it('SE: a logout holds here at once, for sockets too, and everywhere when Redis is back', async () => {
    const site = await start();
    const [sessions, other] = [await openSessions(site), await openSessions(site)];
    const logins = await Promise.all(Array.from({ length: 4 }, () => sessions.create({ user: 'ada' })));
    const [first = '', second = '', third = '', kept = ''] = logins.map(({ token }) => token);
    const ended: string[] = [];
    for (const [index, token] of [first, second].entries()) {
      await sessions.watch(token, (reason) => void ended.push(`${index} ${reason}`));
    }
    await site.leave();
    expect(await sessions.revoke(first)).toBe(true);
    expect(await sessions.revoke(first)).toBe(false);
    expect(await sessions.revokeById('bob', logins[1]?.session.id ?? '')).toBe(false);
    expect((await sessions.read(first)).reason).toBe('revoked');
    await eventually(() => expect(ended).toEqual(['0 revoked']));
    expect((await sessions.read(second)).session?.user).toBe('ada');
    expect(await sessions.revokeAll('ada', { except: kept })).toBe(2);
    for (const token of [first, second, third]) expect((await sessions.read(token)).reason).toBe('revoked');
    await eventually(() => expect(ended).toEqual(['0 revoked', '1 revoked']));
    expect((await sessions.read(kept)).session?.stale).toBe(true);
    await site.comeBack();
    for (const token of [first, second, third]) {
      expect((await sessions.read(token)).reason).toBe('revoked');
      expect((await other.read(token)).reason).toBe('revoked');
    }
    expect((await sessions.list('ada')).map(({ id }) => id)).toEqual([logins[3]?.session.id]);
  });

  it('SE: nothing is read before what was revoked meanwhile is revoked there', async () => {
    const site = await start();
    const sessions = await openSessions(site);
    const logins = await Promise.all(Array.from({ length: 50 }, (_, index) => sessions.create({ user: `u${index}` })));
    await site.leave();
    for (const [index, { token }] of logins.entries()) {
      await (index % 2 === 0 ? sessions.revoke(token) : sessions.revokeAll(`u${index}`));
    }
    let reading = true;
    const seen = new Set<string>();
    const readers = logins.map(async ({ token }) => {
      while (reading) {
        seen.add(await sessions.read(token).then(({ reason = 'live' }) => reason, codeOf));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    });
    await site.comeBack();
    reading = false;
    await Promise.all(readers);
    expect(seen).toContain('revoked');
    expect(seen).not.toContain('live');
  });

  it('SE: what Redis came back without is not served again, at this outage or the next', async () => {
    const site = await start({ keeps: false });
    const sessions = await openSessions(site);
    const [{ token }, silent] = [await sessions.create({ user: 'ada' }), await sessions.create({ user: 'bob' })];
    await site.leave();
    expect((await sessions.read(token)).session?.stale).toBe(true);
    await site.comeBack();
    expect((await sessions.read(token)).reason).toBe('absent');
    await site.leave();
    await expect(sessions.read(token)).rejects.toMatchObject(unavailable);
    await expect(sessions.read(silent.token)).rejects.toMatchObject(unavailable);
    await site.comeBack();
  });

  it('SE: what was revoked in the seconds before a break is out, though Redis comes back without that', async () => {
    const site = await start({ keeps: false });
    const sessions = await openSessions(site);
    const [one, all] = [await sessions.create({ user: 'ada' }), await sessions.create({ user: 'bob' })];
    await site.server.command('SAVE');
    await sessions.revoke(one.token);
    await sessions.revokeAll('bob');
    await site.leave();
    await site.comeBack();
    const elsewhere = await openSessions(site);
    for (const { token } of [one, all]) {
      expect((await sessions.read(token)).session).toBe(undefined);
      expect((await elsewhere.read(token)).session).toBe(undefined);
    }
  });

  it('SE: a server that hangs costs one deadline, and a revocation whose answer is lost is done again', async () => {
    const site = await start();
    const sessions = await openSessions(site);
    const [{ token }, other] = [await sessions.create({ user: 'ada' }), await sessions.create({ user: 'ada' })];
    await site.server.command('PING');
    site.server.pause();
    const [read, revoked] = await Promise.all([sessions.read(token), sessions.revoke(other.token)]);
    expect([read.session?.stale, revoked]).toEqual([true, true]);
    await site.hang();
    expect((await sessions.read(other.token)).reason).toBe('revoked');
    await site.goOn();
    expect((await sessions.read(other.token)).reason).toBe('revoked');
    expect((await sessions.read(token)).session?.user).toBe('ada');
  });

  it('reject everything where they are closed', async () => {
    const site = await start();
    const sessions = await openSessions(site, { away: 'closed' });
    const { token } = await sessions.create({ user: 'ada' });
    await site.leave();
    await expect(sessions.read(token)).rejects.toMatchObject(unavailable);
    await expect(sessions.revoke(token)).rejects.toMatchObject(unavailable);
    await site.comeBack();
    expect((await sessions.read(token)).session?.user).toBe('ada');
    const state = await site.open();
    expect(() => state.sessions('s', { away: 'open' as 'closed' })).toThrow("away: expected 'stale' or 'closed'");
    expect(() => state.sessions('s', { staleFor: 0 })).toThrow('sessions staleFor');
  });
});
