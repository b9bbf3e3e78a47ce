import type { RedisEndpoint } from './backend/redis/redis-client.js';
import { parseRedisUrls, type Some } from './backend/redis/redis-endpoint.js';
import { InvalidArgumentError } from './errors.js';
import type { NameOption } from './option-names.js';
import type { RedisSentinelOptions } from './options.js';

/** Sentinels to ask, and how to get into the server that they name. */
export interface SentinelPlace {
  readonly sentinels: Some<RedisEndpoint>;
  readonly master: string;
  readonly login: Omit<RedisEndpoint, 'host' | 'port'>;
}

/** Reads the options of a master behind sentinels. @throws InvalidArgumentError naming the option or the variable. */
export function sentinelPlace(options: RedisSentinelOptions, name: NameOption): SentinelPlace {
  const { master, ca } = options;
  const sentinels = parseRedisUrls(options.sentinels, name('sentinels'), 'sentinel', (endpoint) => {
    if (endpoint.database !== 0) {
      throw new InvalidArgumentError(name('sentinels'), 'no database, as a sentinel has none', endpoint.database);
    }
    return ca === undefined || endpoint.tls === undefined ? endpoint : { ...endpoint, tls: { ca } };
  });
  if (typeof master !== 'string' || !/^\S+$/.test(master)) {
    throw new InvalidArgumentError(name('master'), 'the name by which the sentinels know the master', master);
  }
  const login = loginOf(options, name);
  if (ca !== undefined && login.tls === undefined && sentinels.every(({ tls }) => tls === undefined)) {
    throw new InvalidArgumentError(name('ca'), 'tls: true or a rediss:// URL beside it', 'neither');
  }
  return { sentinels, master, login };
}

function loginOf(options: RedisSentinelOptions, name: NameOption): SentinelPlace['login'] {
  const { username, password, database = 0, tls = false, ca } = options;
  checkText(username, name('username'));
  checkText(password, name('password'));
  if (username !== undefined && password === undefined) {
    throw new InvalidArgumentError(name('password'), 'the password of the username beside it', undefined);
  }
  if (!Number.isInteger(database) || database < 0) {
    throw new InvalidArgumentError(name('database'), 'a whole number from 0', database);
  }
  if (typeof tls !== 'boolean') throw new InvalidArgumentError(name('tls'), 'true or false', tls);
  return {
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: ca === undefined ? {} : { ca } } : {}),
  };
}

// What is wrong with it is not shown: it may be a password all the same.
function checkText(text: unknown, where: string): void {
  if (text === undefined || (typeof text === 'string' && text !== '')) return;
  throw new InvalidArgumentError(where, 'a text that is not empty', typeof text);
}
