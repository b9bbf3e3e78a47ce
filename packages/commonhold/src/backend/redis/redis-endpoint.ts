import { InvalidArgumentError } from '../../errors.js';
import type { RedisEndpoint } from './redis-client.js';

const expected =
  "a URL such as 'redis://localhost:6379/0' or 'rediss://:password@host:6380', with special characters of the password percent-encoded";
const schemes: ReadonlySet<string> = new Set(['redis:', 'rediss:']);

/**
 * Reads a Redis URL. What cannot be read for certain is refused: `redis://:p@ss/word#x@host` would otherwise connect to
 * the host `ss`. The text appears in no error, since it may hold a password.
 * @throws InvalidArgumentError naming `where`.
 */
export function parseRedisUrl(text: string, where: string = 'redis'): RedisEndpoint {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  const [username, password] = url === undefined ? [] : [decoded(url.username), decoded(url.password)];
  if (url === undefined || username === undefined || password === undefined || !isPlain(url, text)) {
    // Not even a part of it: who forgot the host has the password in its place.
    throw new InvalidArgumentError(where, expected, typeof text === 'string' ? '*'.repeat(text.length) : text);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    database: Number(url.pathname.slice(1)),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** At least one of something. */
export type Some<Item> = readonly [Item, ...Item[]];

/**
 * Reads several Redis URLs, of which there is at least one, and gives each to `complete`.
 * @param what what each of them names, for people.
 * @throws InvalidArgumentError naming `where`.
 */
export function parseRedisUrls(
  urls: unknown,
  where: string,
  what: string,
  complete: (endpoint: RedisEndpoint) => RedisEndpoint,
): Some<RedisEndpoint> {
  if (!Array.isArray(urls)) throw new InvalidArgumentError(where, 'a list of URLs', urls);
  const [first, ...others] = urls.map((url: string) => complete(parseRedisUrl(url, where)));
  if (first === undefined) throw new InvalidArgumentError(where, `the URL of at least one ${what}`, 'none');
  return [first, ...others];
}

function isPlain(url: URL, text: string): boolean {
  return (
    schemes.has(url.protocol) &&
    url.hostname !== '' &&
    url.port !== '0' &&
    /^(?:\/\d{0,9})?$/.test(url.pathname) &&
    // One '@' at most; and nothing that the parser drops, as it drops a tab, or reads as the end of the host.
    !/[\s?#]|@.*@/.test(text) &&
    // A name without a password would not be sent at all.
    (url.username === '' || url.password !== '')
  );
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
