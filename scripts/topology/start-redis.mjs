import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onFreePort, root, until } from './started.mjs';

/** @typedef {import('./started.mjs').Started} Started */

/**
 * Starts Redis with a configuration of deploy/ and its users, both with a password of their own.
 * @param {Started} started
 * @param {'redis-state.conf' | 'redis-cache.conf'} configuration
 * @returns {Promise<{ redisUrl: string, operatorUrl: string }>} URLs for the servers' user and for people
 */
export function startRedis(started, configuration) {
  const [password, operator] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
  return onFreePort(async (port) => {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', started.directory];
    const redis = started.start({
      name: `redis-${port}`,
      command: 'sh',
      args: [join(root, 'deploy/start-redis.sh'), configuration, ...place],
      env: {
        REDIS_PASSWORD: password,
        REDIS_OPERATOR_PASSWORD: operator,
        REDIS_USERS_DIRECTORY: started.directory,
      },
    });
    await until(redis, () => Promise.resolve(redis.logTail().includes('Ready to accept connections')));
    const url = (/** @type {string} */ login) => `redis://${login}@127.0.0.1:${port}/0`;
    return { redisUrl: url(`commonhold:${password}`), operatorUrl: url(`operator:${operator}`) };
  });
}
