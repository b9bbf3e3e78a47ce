import { createHash } from 'node:crypto';
import { createShiftedClock } from 'commonhold/testing';
import { describe, expect, it } from 'vitest';
import { system } from '../../src/index.js';
import { expectProblem } from '../client.js';
import { homes, ownRedis } from '../homes.js';
import { startPlatform } from '../platform.js';

describe.each(homes)('sessions, %s', (_name, open) => {
  const home = open();

  it.each([
    ['no token', ''],
    ['a token of another length', 'abc'],
    ['a token nobody issued', 'f'.repeat(64)],
    ['a token of 10,000 characters', 'f'.repeat(10_000)],
  ])('refuses %s', async (_token, token) => {
    const client = (await startPlatform({ redisUrl: await home.url() })).client();
    client.token = token;
    for (const path of ['/me', '/sessions', '/tasks', '/stats', '/tasks/1']) {
      const answer = await client.get(path);
      expectProblem(answer, 401, /^Invalid session$/);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it('S4.12: lists the live ones without any token, and ends one or all', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const one = await platform.signedIn();
    const [two, three] = [platform.client(), platform.client()];
    await two.login('ada@example.com');
    await three.login('ada@example.com');
    const { json } = await one.get('/sessions');
    const sessions = json['sessions'] as Record<string, unknown>[];
    expect(sessions).toHaveLength(3);
    expect(Object.keys(sessions[0] ?? {})).toEqual(['created_at', 'last_activity', 'user_agent', 'current']);
    expect(sessions.filter(({ current }) => current)).toHaveLength(1);
    expect(JSON.stringify(json)).not.toMatch(/[0-9a-f]{32}/);

    expect((await two.post('/logout')).json).toEqual({ revoked: 1 });
    expectProblem(await two.get('/me'), 401, /^Invalid session$/);
    expectProblem(await two.post('/logout'), 401, /^Invalid session$/);
    expect((await one.post('/logout-all')).json).toEqual({ revoked: 2 });
    for (const client of [one, three]) expectProblem(await client.get('/me'), 401, /^Invalid session$/);
  });

  it('of one user are none of another', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const ada = await platform.signedIn('ada@example.com');
    const bob = await platform.signedIn('bob@example.com');
    expect((await ada.post('/logout-all')).json).toEqual({ revoked: 1 });
    expect((await bob.get('/me')).status).toBe(200);
  });
});

describe('a session that nobody used', () => {
  it('S4.11, X.2: ends after half an hour and says so', async () => {
    const clock = createShiftedClock();
    const platform = await startPlatform({
      system: {
        ...system,
        mount: (host) => system.mount({ ...host, openState: (options) => host.openState({ ...options, clock }) }),
      },
    });
    const client = await platform.signedIn();
    clock.advance(29 * 60_000);
    expect((await client.get('/me')).status).toBe(200);
    clock.advance(31 * 60_000);
    expectProblem(await client.get('/me'), 401, /^Session expired due to inactivity$/);
  });

  const redis = ownRedis();

  it('S4.10, S4.11: does so on Redis too, where it is a hash under the SHA-256 of its token', async () => {
    const redisUrl = await redis.url();
    const client = await (await startPlatform({ redisUrl })).signedIn();
    const key = `ocr:session:${createHash('sha256').update(client.token).digest('hex')}`;
    expect(await redis.server.command('TYPE', key)).toBe('hash');
    expect(JSON.stringify(await redis.server.command('KEYS', '*'))).not.toContain(client.token);
    await redis.server.command('HSET', key, 'l', String(Date.now() - 31 * 60_000));
    expectProblem(await client.get('/me'), 401, /^Session expired due to inactivity$/);
  });

  it('S4.4: has its keys where REDIS_SESSION_PREFIX says', async () => {
    const redisUrl = await redis.url();
    const platform = await startPlatform({ redisUrl, variables: { REDIS_SESSION_PREFIX: 'my:sessions' } });
    const client = await platform.signedIn();
    const key = `my:sessions:${createHash('sha256').update(client.token).digest('hex')}`;
    expect(await redis.server.command('EXISTS', key)).toBe(1);
  });
});
