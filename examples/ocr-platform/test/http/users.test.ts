import { describe, expect, it } from 'vitest';
import { expectProblem, PASSWORD } from '../client.js';
import { homes, ownRedis } from '../homes.js';
import { sharedPlatform, startPlatform } from '../platform.js';

describe.each(homes)('users and logins, %s', (_name, open) => {
  const home = open();

  it('signs up, logs in and says who one is', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const client = platform.client();
    const created = await client.post('/users', { email: 'Ada@example.com', password: PASSWORD, role: 'editor' });
    expect(created).toMatchObject({
      status: 201,
      json: { user_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
    });
    const before = Date.now();
    const login = await client.login('ada@EXAMPLE.com');
    expect(Object.keys(login)).toEqual(['token', 'expires_at']);
    expect(login['token']).toMatch(/^[0-9a-f]{64}$/);
    expect(login['expires_at']).toBeGreaterThan(before + 6 * 86_400_000);
    const me = await client.get('/me');
    expect(Object.keys(me.json)).toEqual(['user_id', 'email', 'role', 'created_at', 'last_activity']);
    expect(me.json).toMatchObject({ user_id: created.json['user_id'], email: 'Ada@example.com', role: 'editor' });
    expect(Math.abs(Number(me.json['created_at']) - Date.now())).toBeLessThan(5_000);
  });

  it('refuses an address that is taken, in any case of letters', async () => {
    const client = (await startPlatform({ redisUrl: await home.url() })).client();
    await client.signUp('ada@example.com');
    expectProblem(await client.post('/users', { email: 'ADA@example.com', password: PASSWORD }), 409, /exists/);
  });

  it('lets ten tries a minute through for a pair of address and e-mail, and no other pair suffers', async () => {
    const client = (await startPlatform({ redisUrl: await home.url() })).client();
    const attempt = (email: string): Promise<{ status: number; headers: Headers }> =>
      client.post('/login', { email, password: 'wrong' });
    const answers = await Promise.all(Array.from({ length: 11 }, () => attempt('ada@example.com')));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: 10 }, () => 401),
      429,
    ]);
    const refused = await client.post('/login', { email: 'ADA@example.com', password: 'wrong' });
    expectProblem(refused, 429, /wait/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(20);
    expect(refused.headers.get('ratelimit')).toMatch(/^"login";r=0;t=\d+$/);
    expect(refused.headers.get('ratelimit-policy')).toBe('"login";q=10;w=60');
    expect((await attempt('bob@example.com')).status).toBe(401);
  });
});

describe('what a user sends', () => {
  const shared = sharedPlatform();

  it.each([
    ['no e-mail', { password: PASSWORD }, 422, /"email"/],
    ['no password', { email: 'a@b.c' }, 422, /"password"/],
    ['a number for a password', { email: 'a@b.c', password: 12_345_678 }, 422, /body\.password: expected a string/],
    ['an e-mail without @', { email: 'ab.c', password: PASSWORD }, 422, /e-mail address/],
    ['an e-mail of 300 characters', { email: `${'a'.repeat(300)}@b.c`, password: PASSWORD }, 422, /e-mail address/],
    ['a short password', { email: 'a@b.c', password: '1234567' }, 422, /8 to 1024/],
    ['a password of 2,000 characters', { email: 'a@b.c', password: 'x'.repeat(2_000) }, 422, /8 to 1024/],
    ['a role with spaces', { email: 'a@b.c', password: PASSWORD, role: 'a b' }, 422, /"role"/],
    ['a list', [], 422, /body: expected an object/],
  ])('%s', async (_name, body, status, detail) => {
    const client = shared().client();
    expectProblem(await client.post('/users', body), status, detail);
  });

  it('malformed JSON, 10 MB of JSON, and an unknown route', async () => {
    const client = shared().client();
    const headers = { 'content-type': 'application/json' };
    expectProblem(await client.request('POST', '/login', { headers, body: '{"email":' }), 400, /JSON/);
    const large = JSON.stringify({ email: 'x'.repeat(10_000_000), password: '' });
    expectProblem(await client.request('POST', '/login', { headers, body: large }), 413, /large/);
    expectProblem(await client.get('/nowhere'), 404, /nowhere/);
  });
});

describe('passwords', () => {
  const redis = ownRedis();

  it('are kept as scrypt hashes alone, in an entry that does not end', async () => {
    const platform = await startPlatform({ redisUrl: await redis.url() });
    await platform.signedIn();
    const fields = (await redis.server.command('HGETALL', 'ocr:map:{accounts}')) as string[];
    expect(fields.join('\n')).not.toContain(PASSWORD);
    const entry = fields.find((field) => field.endsWith('}')) ?? '';
    const [, value] = /^\d+\|\|[^|]+\|(.*)$/s.exec(entry) ?? [];
    expect((JSON.parse(value ?? '') as { password_hash: string }).password_hash).toMatch(/^scrypt\$32768\$8\$3\$/);
    expect(await redis.server.command('PTTL', 'ocr:map:{accounts}')).toBe(-1);
  });

  it('take as long to be refused for an unknown e-mail as for a known one', async () => {
    const client = (await startPlatform()).client();
    await client.signUp('ada@example.com');
    const time = async (email: string): Promise<number> => {
      const startedAtMs = performance.now();
      expectProblem(await client.post('/login', { email, password: 'wrong' }), 401, /wrong/);
      return performance.now() - startedAtMs;
    };
    const ratios: number[] = [];
    for (let round = 0; round < 5; round++)
      ratios.push((await time('bob@example.com')) / (await time('ada@example.com')));
    const median = ratios.toSorted((a, b) => a - b)[2] ?? 0;
    expect(median).toBeGreaterThan(0.6);
    expect(median).toBeLessThan(1.7);
  });
});
