import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../src/backend/redis/redis-endpoint.js';
import {
  booleanVariable,
  type Environment,
  numberVariable,
  redisFromEnvironment,
  variable,
} from '../src/environment.js';
import { awkwardPasswords } from './backend/redis/passwords.js';

/** The URL that variables come to, or undefined for memory. */
function url(environment: Environment): string | undefined {
  const named = redisFromEnvironment(environment);
  return named !== undefined && 'url' in named ? named.url : undefined;
}

describe('variable', () => {
  it('takes an empty one as unset', () => {
    expect(variable({ A: '' }, 'A')).toBeUndefined();
    expect(variable({ A: undefined }, 'A')).toBeUndefined();
    expect(variable({}, 'A')).toBeUndefined();
    expect(variable({ A: ' ' }, 'A')).toBe(' ');
  });
});

describe('numberVariable', () => {
  it('reads a whole number within bounds', () => {
    expect(numberVariable({ TTL: '3600' }, 'TTL', 1, 10_000)).toBe(3_600);
    expect(numberVariable({ TTL: '' }, 'TTL', 1, 10_000)).toBeUndefined();
    expect(numberVariable({ TTL: '1' }, 'TTL', 1, 1)).toBe(1);
  });

  it.each(['0', '11', '1.5', '-1', '1e1', '0x5', ' 5', '5s', 'five', 'NaN', 'Infinity'])('refuses %j', (text) => {
    expect(() => numberVariable({ TTL: text }, 'TTL', 1, 10)).toThrow(
      `Environment variable TTL: expected a whole number from 1 to 10, received ${JSON.stringify(text)}`,
    );
  });
});

describe('booleanVariable', () => {
  it.each(['true', 'TRUE', '1', 'yes', 'on'])('reads %s as true', (text) => {
    expect(booleanVariable({ USE: text }, 'USE')).toBe(true);
  });

  it.each(['false', 'False', '0', 'no', 'off'])('reads %s as false', (text) => {
    expect(booleanVariable({ USE: text }, 'USE')).toBe(false);
  });

  it('takes an empty one as unset and refuses the rest', () => {
    expect(booleanVariable({ USE: '' }, 'USE')).toBeUndefined();
    expect(() => booleanVariable({ USE: 'flase' }, 'USE')).toThrow(
      `Environment variable USE: expected 'true' or 'false', received "flase"`,
    );
  });
});

describe('redisFromEnvironment', () => {
  it.each<[string, Environment, string | undefined]>([
    ['nothing', {}, undefined],
    ['development', { NODE_ENV: 'development' }, undefined],
    ['production alone', { NODE_ENV: 'production' }, 'redis://localhost:6379/0'],
    ['the switch', { USE_REDIS: 'true' }, 'redis://localhost:6379/0'],
    [
      'the switch off, whatever else is set',
      { USE_REDIS: 'false', REDIS_URL: 'redis://a', REDIS_HOST: 'b', NODE_ENV: 'production' },
      undefined,
    ],
    ['an empty switch', { USE_REDIS: '', REDIS_HOST: 'a' }, 'redis://a:6379/0'],
    ['a URL', { REDIS_URL: 'redis://redis:6379/0' }, 'redis://redis:6379/0'],
    ['a URL beside the other variables', { REDIS_URL: 'redis://a', REDIS_HOST: 'b', REDIS_PASSWORD: 'x' }, 'redis://a'],
    ['an empty URL', { REDIS_URL: '', REDIS_HOST: 'b' }, 'redis://b:6379/0'],
    ['a URL of memory', { REDIS_URL: 'memory://', NODE_ENV: 'production' }, undefined],
    ['a host', { REDIS_HOST: 'redis' }, 'redis://redis:6379/0'],
    [
      'a host, a port and a database',
      { REDIS_HOST: 'redis', REDIS_PORT: '7000', REDIS_DB: '3' },
      'redis://redis:7000/3',
    ],
    [
      'everything empty',
      { USE_REDIS: '', REDIS_URL: '', REDIS_HOST: '', REDIS_PORT: '', REDIS_DB: '', REDIS_PASSWORD: '' },
      undefined,
    ],
    ['empty details', { REDIS_HOST: 'a', REDIS_PORT: '', REDIS_DB: '', REDIS_PASSWORD: '' }, 'redis://a:6379/0'],
    ['details without a host are not enough', { REDIS_PORT: '7000', REDIS_PASSWORD: 'x' }, undefined],
    [
      'the TLS port of Azure',
      { REDIS_HOST: 'a.redis.cache.windows.net', REDIS_PORT: '6380', REDIS_PASSWORD: 'k=' },
      'rediss://:k%3D@a.redis.cache.windows.net:6380/0',
    ],
    ['an address', { REDIS_HOST: '10.0.0.1' }, 'redis://10.0.0.1:6379/0'],
    ['an IPv6 address', { REDIS_HOST: '::1', REDIS_PORT: '7000' }, 'redis://[::1]:7000/0'],
  ])('S0.1, S0.2, S1.2: %s', (_, environment, expected) => {
    expect(url(environment)).toBe(expected);
  });

  it.each<[Environment, RegExp]>([
    [{ USE_REDIS: 'maybe' }, /^Environment variable USE_REDIS: expected 'true' or 'false', received "maybe"/],
    [{ USE_REDIS: '2' }, /^Environment variable USE_REDIS/],
    [
      { REDIS_HOST: 'a', REDIS_PORT: 'abc' },
      /^Environment variable REDIS_PORT: expected a whole number from 1 to 65535, received "abc"/,
    ],
    [{ REDIS_HOST: 'a', REDIS_PORT: '0' }, /^Environment variable REDIS_PORT/],
    [{ REDIS_HOST: 'a', REDIS_PORT: '65536' }, /^Environment variable REDIS_PORT/],
    [{ REDIS_HOST: 'a', REDIS_DB: '-1' }, /^Environment variable REDIS_DB: expected a whole number/],
    [{ REDIS_HOST: 'a', REDIS_DB: 'first' }, /^Environment variable REDIS_DB/],
    [
      { REDIS_HOST: 'a:6379' },
      /^Environment variable REDIS_HOST: expected a host name or an address, without a port, received "a:6379"/,
    ],
    [{ REDIS_HOST: 'redis://a' }, /^Environment variable REDIS_HOST/],
    [{ REDIS_HOST: 'a b' }, /^Environment variable REDIS_HOST/],
    [{ REDIS_HOST: 'user@a' }, /^Environment variable REDIS_HOST/],
  ])('refuses %j', (environment, message) => {
    expect(() => url(environment)).toThrow(message);
  });

  it('carries every password unchanged', () => {
    for (const password of awkwardPasswords) {
      const named = url({ REDIS_HOST: 'h', REDIS_PASSWORD: password }) ?? '';
      expect(parseRedisUrl(named)).toEqual({ host: 'h', port: 6379, database: 0, password });
    }
  });

  it('reads the nodes of a cluster, which win over a URL and not over USE_REDIS=false', () => {
    const nodes = { REDIS_CLUSTER: 'redis://a:7000, redis://b:7001', REDIS_URL: 'redis://c' };
    expect(redisFromEnvironment(nodes)).toEqual({
      cluster: ['redis://a:7000', 'redis://b:7001'],
      where: 'Environment variable REDIS_CLUSTER',
    });
    expect(redisFromEnvironment({ ...nodes, USE_REDIS: 'false' })).toBeUndefined();
    expect(redisFromEnvironment({ REDIS_CLUSTER: '', REDIS_URL: 'redis://c' })).toMatchObject({ url: 'redis://c' });
  });

  it('S1.2: knows which variable to blame for a URL', () => {
    expect(redisFromEnvironment({ REDIS_URL: 'nonsense' })?.where).toBe('Environment variable REDIS_URL');
    expect(redisFromEnvironment({ REDIS_HOST: 'h' })?.where).toBe('Environment variable REDIS_HOST');
  });
});
