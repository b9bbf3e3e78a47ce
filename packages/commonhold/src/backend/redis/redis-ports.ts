import { RedisCache } from '../../cache/redis-cache.js';
import { RedisChannel } from '../../channel/redis-channel.js';
import { RedisConcurrency } from '../../concurrency/redis-concurrency.js';
import { RedisCounter } from '../../counter/redis-counter.js';
import { RedisMap } from '../../map/redis-map.js';
import { RedisPlainMap } from '../../map/redis-plain-map.js';
import { RedisLock } from '../../lock/redis-lock.js';
import { RedisReadWriteLock } from '../../lock/redis-read-write-lock.js';
import { RedisOwners } from '../../owners/redis-owners.js';
import { RedisPresence } from '../../presence/redis-presence.js';
import { RedisQueue } from '../../queue/redis-queue.js';
import { RedisRateLimit } from '../../rate-limit/redis-rate-limit.js';
import { RedisRunOnce } from '../../run-once/redis-run-once.js';
import { RedisSession } from '../../session/redis-session.js';
import { RedisUniqueSet } from '../../unique-set/redis-unique-set.js';
import type { Keys } from '../../keys.js';
import type { Ports } from '../backend.js';
import type { RedisWire } from './redis-wire.js';

/** The twins of every feature over one wire. */
export function redisPorts(wire: RedisWire, keys: Keys): Ports {
  return {
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
    readWriteLock: new RedisReadWriteLock(wire, keys),
    rateLimit: new RedisRateLimit(wire, keys),
    runOnce: new RedisRunOnce(wire, keys),
    session: new RedisSession(wire, keys),
    uniqueSet: new RedisUniqueSet(wire, keys),
  };
}
