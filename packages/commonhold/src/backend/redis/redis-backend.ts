import { RedisCache } from '../../cache/redis-cache.js';
import { RedisChannel } from '../../channel/redis-channel.js';
import { RedisConcurrency } from '../../concurrency/redis-concurrency.js';
import { RedisCounter } from '../../counter/redis-counter.js';
import type { Keys } from '../../keys.js';
import { RedisMap } from '../../map/redis-map.js';
import { RedisPlainMap } from '../../map/redis-plain-map.js';
import { RedisLock } from '../../lock/redis-lock.js';
import type { NamedOperation } from '../../operation.js';
import { RedisOwners } from '../../owners/redis-owners.js';
import { RedisPresence } from '../../presence/redis-presence.js';
import { RedisQueue } from '../../queue/redis-queue.js';
import { RedisRateLimit } from '../../rate-limit/redis-rate-limit.js';
import { RedisRunOnce } from '../../run-once/redis-run-once.js';
import { RedisSession } from '../../session/redis-session.js';
import { RedisUniqueSet } from '../../unique-set/redis-unique-set.js';
import type { Backend } from '../backend.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import { loadScript } from './script.js';

/** A connection, and the keys to use on it. */
export interface RedisBackendOptions extends RedisConnectionOptions {
  readonly keys: Keys;
}

const probing: NamedOperation = { name: 'connection.probe', kind: 'idempotent', away: 'refuse', deadline: 'state' };
const probeScript = loadScript(import.meta.url, 'probe.lua');

/** Gathers the Redis twins over one connection. Resolves after the first attempt to connect, whether or not it succeeded. */
export async function createRedisBackend(options: RedisBackendOptions): Promise<Backend> {
  const { keys } = options;
  const connection = await RedisConnection.open(options);
  const { wire } = connection;
  return {
    ports: {
      cache: new RedisCache(wire, keys),
      channel: new RedisChannel(wire, keys),
      concurrency: new RedisConcurrency(wire, keys),
      counter: new RedisCounter(wire, keys),
      map: new RedisMap(wire, keys),
      plainMap: new RedisPlainMap(wire, keys),
      owners: new RedisOwners(wire, keys),
      presence: new RedisPresence(wire, keys),
      queue: new RedisQueue(wire, keys),
      lock: new RedisLock(wire, keys),
      rateLimit: new RedisRateLimit(wire, keys),
      runOnce: new RedisRunOnce(wire, keys),
      session: new RedisSession(wire, keys),
      uniqueSet: new RedisUniqueSet(wire, keys),
    },
    bus: connection.bus,
    remote: true,
    status: () => connection.status(),
    probe: async () => void (await wire.run(probing, probeScript, [keys.tagged('probe', 'probe')], ['1'])),
    rawClient: connection.client,
    close: () => connection.close(),
  };
}
