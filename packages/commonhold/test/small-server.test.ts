import { describe, expect, it } from 'vitest';
import { openState } from '../src/open-state.js';
import { startRedisServer } from '../src/testing/redis-server.js';

/** Few enough to be answered within the deadline on a busy machine. */
const atOnce = 500;

describe('a managed server of 25 MB', () => {
  it('S1.12, X.5: holds 5,000 sessions, 5,000 cached objects, 10,000 limited clients and 20,000 waiting jobs', async () => {
    await using server = await startRedisServer({ args: ['--maxmemory', '25mb', '--maxmemory-policy', 'noeviction'] });
    await using state = await openState({ redis: server.url, namespace: 'small' });
    const sessions = state.sessions<{ email: string }>('logins');
    const users = state.cache('users');
    const enrolments = state.rateLimit('enroll', '5 per hour');
    const jobs = state.queue<{ file: string }>('scans');
    const each = async <Result>(count: number, make: (n: number) => Promise<Result>): Promise<Result[]> => {
      const results: Result[] = [];
      for (let n = 0; n < count; n += atOnce) {
        results.push(...(await Promise.all(Array.from({ length: atOnce }, (_, k) => make(n + k)))));
      }
      return results;
    };
    const issued = await each(5_000, (n) =>
      sessions.create({ user: `user-${n}`, data: { email: `${n}@example.com` } }),
    );
    await each(5_000, (n) => users.set(`user:${n}`, { id: n, name: `User ${n}`, role: 'member' }));
    await each(10_000, (n) => enrolments.consume(`10.0.${n >> 8}.${n & 255}`));
    await each(20_000, (n) => jobs.add({ file: `scan-${n}.png` }));
    expect((await sessions.read(issued[4_999]?.token ?? '')).session?.user).toBe('user-4999');
    expect(await users.get('user:4999')).toEqual({ id: 4_999, name: 'User 4999', role: 'member' });
    expect((await jobs.counts()).pending).toBe(20_000);
    const used = Number(/used_memory:(\d+)/.exec(String(await server.command('INFO', 'memory')))?.[1]);
    expect(used).toBeLessThan(25 * 1024 * 1024);
  });
});
