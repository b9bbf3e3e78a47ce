import { describe, expect, it } from 'vitest';
import type { OpenOptions } from '../src/options.js';
import { resolveRedis } from '../src/redis-place.js';

const [a, b] = ['redis://a', 'redis://b'];

function endpoint(host: string, more: object = {}): object {
  return expect.objectContaining({ host, port: 6379, ...more }) as object;
}

/** Where options lead, of which a test gives anything. */
function resolve(redis: unknown, environment: Record<string, string> = {}): unknown {
  return resolveRedis({ redis } as OpenOptions, environment);
}

describe('where Redis is', () => {
  it.each<[string, unknown, object]>([
    ['a server', a, { endpoint: endpoint('a') }],
    [
      'a server with fallbacks',
      { url: a, fallbacks: [b] },
      { endpoints: [endpoint('a'), endpoint('b')], failBackMs: 5_000 },
    ],
    ['its time to turn back', { url: a, fallbacks: [b], failBackAfter: '1m' }, { failBackMs: 60_000 }],
    ['nodes of a cluster', { cluster: [a, b] }, { seeds: [endpoint('a'), endpoint('b')] }],
    [
      'sentinels',
      { sentinels: ['redis://u:p@s:26379'], master: 'main', password: 'x', database: 2, tls: true },
      {
        sentinels: [{ host: 's', port: 26_379, username: 'u', password: 'p', database: 0 }],
        master: 'main',
        login: { password: 'x', database: 2, tls: {} },
      },
    ],
    [
      'a split',
      { state: a, cache: { url: b } },
      { state: { endpoint: endpoint('a') }, cache: { endpoint: endpoint('b') } },
    ],
  ])('%s', (_, redis, place) => {
    expect(resolve(redis)).toMatchObject(place);
  });

  it.each<[string, Record<string, string>, object]>([
    [
      'fallbacks',
      { REDIS_URL: a, REDIS_FALLBACK_URLS: `${b}, redis://c` },
      { endpoints: ['a', 'b', 'c'].map((host) => endpoint(host)) },
    ],
    [
      'sentinels',
      { REDIS_SENTINELS: 'redis://s:26379', REDIS_SENTINEL_MASTER: 'main', REDIS_DB: '3', REDIS_PASSWORD: 'p' },
      { master: 'main', login: { database: 3, password: 'p' } },
    ],
    [
      'a server for caches',
      { REDIS_URL: a, REDIS_CACHE_URL: b },
      { state: { endpoint: endpoint('a') }, cache: { endpoint: endpoint('b') } },
    ],
  ])('%s, from the environment', (_, environment, place) => {
    expect(resolve(undefined, environment)).toMatchObject(place);
  });

  it.each<[string, unknown, RegExp]>([
    ['no fallback', { url: a, fallbacks: [] }, /^redis\.fallbacks: expected the URL of at least one server/],
    ['a fallback that is no URL', { url: a, fallbacks: ['b'] }, /^redis\.fallbacks: expected a URL/],
    ['a server twice', { url: a, fallbacks: [b, a] }, /^redis\.fallbacks: expected each server once/],
    [
      'a time without fallbacks',
      { url: a, failBackAfter: '1s' },
      /^redis\.failBackAfter: expected fallbacks beside it/,
    ],
    ['sentinels without a master', { sentinels: [a] }, /^redis\.master: expected the name/],
    ['no sentinel', { sentinels: [], master: 'm' }, /^redis\.sentinels: expected the URL of at least one sentinel/],
    ['a database of a sentinel', { sentinels: [`${a}/1`], master: 'm' }, /^redis\.sentinels: expected no database/],
    ['a user alone', { sentinels: [a], master: 'm', username: 'u' }, /^redis\.password: expected the password/],
    ['a password that is none', { sentinels: [a], master: 'm', password: 5 }, /^redis\.password: .* received "number"/],
    ['a half database', { sentinels: [a], master: 'm', database: 0.5 }, /^redis\.database: expected a whole number/],
    ['an authority for nothing', { sentinels: [a], master: 'm', ca: 'x' }, /^redis\.ca: expected tls: true/],
    ['half a split', { state: a }, /^redis\.cache: expected a URL/],
    ['a split of splits', { state: { state: a, cache: b }, cache: b }, /^redis\.state: /],
    ['a name that no option has', { url: a, fallback: [b] }, /^redis: .*fallback/],
  ])('refuses %s', (_, redis, message) => {
    expect(() => resolve(redis)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message) as string }),
    );
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ REDIS_SENTINELS: 'redis://s' }, /^Environment variable REDIS_SENTINEL_MASTER: expected the name/],
    [{ REDIS_URL: a, REDIS_FALLBACK_URLS: 'b' }, /^Environment variable REDIS_FALLBACK_URLS: expected a URL/],
    [{ REDIS_URL: a, REDIS_CACHE_URL: 'b' }, /^Environment variable REDIS_CACHE_URL: expected a URL/],
  ])('refuses %j', (environment, message) => {
    expect(() => resolve(undefined, environment)).toThrow(message);
  });
});
