import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../../src/backend/redis/redis-endpoint.js';
import { startRedisServer } from '../../../src/testing/redis-server.js';
import { connected, outcome, reading } from './connected.js';
import { awkwardPasswords } from './passwords.js';

describe('parseRedisUrl', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, database: 0 }],
    ['redis://localhost:6379', { host: 'localhost', port: 6379, database: 0 }],
    ['redis://redis:6379/0', { host: 'redis', port: 6379, database: 0 }],
    ['redis://localhost:6379/', { host: 'localhost', port: 6379, database: 0 }],
    ['redis://red-xxxxx:6379/15', { host: 'red-xxxxx', port: 6379, database: 15 }],
    ['redis://:your-password@host:6379', { host: 'host', port: 6379, database: 0, password: 'your-password' }],
    ['redis://app:p%40ss@10.0.0.1', { host: '10.0.0.1', port: 6379, database: 0, username: 'app', password: 'p@ss' }],
    ['rediss://cache.example.net:6380', { host: 'cache.example.net', port: 6380, database: 0, tls: {} }],
    ['redis://[::1]:7000', { host: '::1', port: 7000, database: 0 }],
  ])('reads %s', (url, endpoint) => {
    expect(parseRedisUrl(url)).toEqual(endpoint);
  });

  it.each([
    ['another scheme', 'http://localhost:6379'],
    ['no scheme', 'localhost:6379'],
    ['no slashes', 'redis:localhost'],
    ['no host', 'redis://'],
    ['a login and no host', 'redis://:secret'],
    ['a port of 0', 'redis://localhost:0'],
    ['a port beyond 65535', 'redis://localhost:65536'],
    ['a port that is no number', 'redis://localhost:secret'],
    ['a database that is no number', 'redis://localhost/first'],
    ['a database beyond all', 'redis://localhost/99999999999999999999'],
    ['a path', 'redis://localhost/0/1'],
    ['a query', 'redis://localhost/0?db=1'],
    ['an empty query', 'redis://localhost/0?'],
    ['a fragment', 'redis://localhost/0#1'],
    ['a user name without a password', 'redis://app@localhost'],
    ['a raw @ in the password', 'redis://:p@ss@localhost'],
    ['a raw / in the password', 'redis://:p@ss/w0rd@localhost'],
    ['a raw # in the password', 'redis://:p@ss/w0rd#x@localhost'],
    ['a raw ? in the password', 'redis://app:1?2@localhost'],
    ['a tab, which the parser would drop', 'redis://:pa\tss@localhost'],
    ['a line end, which the parser would drop', 'redis://:pass@localhost\n'],
    ['a lone percent sign', 'redis://:100%@localhost'],
    ['percent-encoded bytes that are no UTF-8', 'redis://:%FF%FE@localhost'],
    ['an empty text', ''],
  ])('refuses %s', (_, url) => {
    expect(() => parseRedisUrl(url, 'Environment variable REDIS_URL')).toThrow(
      expect.objectContaining({
        code: 'InvalidArgument',
        message: expect.stringMatching(
          /^Environment variable REDIS_URL: expected a URL such as .*percent-encoded, received/,
        ) as string,
      }),
    );
  });

  it.each([undefined, null, 6379, true, {}])('refuses %s, which is no text', (url) => {
    expect(() => parseRedisUrl(url as never, 'redis.url')).toThrow(/^redis\.url: expected a URL/);
  });

  it('repeats no part of what it refuses', () => {
    const secrets = ['hunter2', 'correcthorse'];
    for (const url of ['redis://:hunter2', 'redis://localhost:hunter2', 'redis://:hunter2@correcthorse@h']) {
      try {
        parseRedisUrl(url);
        expect.unreachable();
      } catch (error) {
        const printed = `${String(error)} ${(error as Error).stack} ${JSON.stringify(error)}`;
        for (const secret of secrets) expect(printed).not.toContain(secret);
      }
    }
  });
});

describe('a password in a URL', () => {
  it('percent-encoded gets in, whatever it holds; raw it gets in or is refused, and never goes elsewhere', async () => {
    await using server = await startRedisServer();
    let refused = 0;
    for (const password of awkwardPasswords) {
      await server.command('CONFIG', 'SET', 'requirepass', password);
      const encoded = `redis://:${encodeURIComponent(password)}@127.0.0.1:${server.port}`;
      expect(parseRedisUrl(encoded)).toMatchObject({ host: '127.0.0.1', port: server.port, password });
      await using connection = await connected(encoded);
      expect([password, await outcome(connection.wire.command(reading, ['PING']))]).toEqual([password, 'PONG']);
      try {
        const raw = parseRedisUrl(`redis://:${password}@127.0.0.1:${server.port}`);
        expect([password, raw.host, raw.port]).toEqual([password, '127.0.0.1', server.port]);
        // `%41` means `A` in a URL: what looks encoded is taken as encoded.
        if (!/%[0-9A-Fa-f]{2}/.test(password)) expect(raw.password).toBe(password);
      } catch (error) {
        refused++;
        expect(error).toMatchObject({ code: 'InvalidArgument' });
        if (password.length > 3) expect(String(error)).not.toContain(password);
      }
    }
    expect(refused).toBeGreaterThan(5);
  });
});
