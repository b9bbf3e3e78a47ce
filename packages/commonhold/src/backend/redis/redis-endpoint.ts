import { InvalidArgumentError } from '../../errors.js';
import type { RedisEndpoint } from './redis-client.js';

const expected = "a URL such as 'redis://localhost:6379/0' or 'rediss://:password@host:6380', with special characters of the password percent-encoded";

/**
 * Reads a Redis URL. What cannot be read for certain is refused: `redis://:p@ss/word#x@host` would otherwise connect to
 * the host `ss`. The password appears in no error.
 * @throws InvalidArgumentError
 */
export function parseRedisUrl(text: string): RedisEndpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isPlain(url, text)) throw new InvalidArgumentError('Redis URL', expected, new Hidden());
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    database: url.pathname.length > 1 ? Number(url.pathname.slice(1)) : 0,
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

function isPlain(url: URL, text: string): boolean {
  const known = url.protocol === 'redis:' || url.protocol === 'rediss:';
  const oneLogin = text.split('@').length <= 2;
  const decodable = !/%(?![0-9A-Fa-f]{2})/.test(url.username + url.password);
  return (
    known && oneLogin && decodable && url.hostname !== '' && url.search === '' && url.hash === '' && /^\/?\d*$/.test(url.pathname)
  );
}

/** Named in the error in place of a text that may hold a password. */
class Hidden {}
