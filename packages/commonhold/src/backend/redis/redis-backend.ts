import { RedisCache } from '../../cache/redis-cache.js';
import { RedisChannel } from '../../channel/redis-channel.js';
import { RedisConcurrency } from '../../concurrency/redis-concurrency.js';
import { RedisCounter } from '../../counter/redis-counter.js';
import type { Keys } from '../../keys.js';
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
import type { Backend, Ports } from '../backend.js';
import { plainPorts } from '../closed-ports.js';
import { nothingWaits } from '../nothing-waits.js';
import { StatusWatch } from '../status-watch.js';
import { ClusterConnection } from './cluster-connection.js';
import type { ClusterOptions } from './cluster-nodes.js';
import { Epochs } from './epochs.js';
import { LossWatch } from './loss-watch.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import type { RedisWire } from './redis-wire.js';

/** Whose backend it is. */
interface Ownership {
  readonly keys: Keys;
  /** `name#incarnation` of this process. */
  readonly owner: string;
}

/** A connection, and the keys to use on it. */
export interface RedisBackendOptions
  extends
    Omit<RedisConnectionOptions, 'inCluster' | 'silent' | 'redirector' | 'onChange' | 'pulse' | 'onLoss'>,
    Ownership {}

/** A cluster, and the keys to use on it. */
export interface ClusterBackendOptions extends Omit<ClusterOptions, 'epochs' | 'onLoss'>, Ownership {}

/**
 * Gathers the Redis twins over one connection, or over one to each node where the server says that it is part of a
 * cluster. Resolves after the first attempt to connect, whether or not it succeeded.
 */
export async function createRedisBackend(options: RedisBackendOptions): Promise<Backend> {
  const { keys, endpoint, ...shared } = options;
  const watch = new StatusWatch();
  const losses = new LossWatch(options);
  const epochs = new Epochs(options);
  const connection: RedisConnection = await RedisConnection.open({
    ...options,
    // The outage tells.
    silent: true,
    pulse: { epochs, keyFor: () => epochs.key(0) },
    onChange: watch.changed,
    onLoss: (kind) => losses.tell({ kind, node: connection.address }, connection.bus),
  });
  if (connection.clustered) {
    await connection.close();
    return createClusterBackend({ ...shared, keys, seeds: [endpoint] });
  }
  return {
    ...plainPorts(redisPorts(connection.wire, keys)),
    portsFor: (others) => plainPorts(redisPorts(connection.wire, others)),
    bus: connection.bus,
    remote: true,
    status: () => connection.status(),
    onStatusChange: watch.on,
    ...nothingWaits,
    onLoss: losses.on,
    probe: () => connection.probe(),
    rawClient: connection.client,
    close: (atOnce) => connection.close(atOnce),
  };
}

/** Gathers the Redis twins over a cluster. Resolves after the first attempts to connect, whether or not they succeeded. */
export async function createClusterBackend(options: ClusterBackendOptions): Promise<Backend> {
  const { keys, ...shared } = options;
  const watch = new StatusWatch();
  const losses = new LossWatch(options);
  const cluster: ClusterConnection = await ClusterConnection.open(
    { ...shared, epochs: new Epochs(options), onLoss: (loss) => losses.tell(loss, cluster.bus) },
    watch.changed,
  );
  return {
    ...plainPorts(redisPorts(cluster.wire, keys)),
    portsFor: (others) => plainPorts(redisPorts(cluster.wire, others)),
    bus: cluster.bus,
    remote: true,
    status: () => cluster.status(),
    onStatusChange: watch.on,
    ...nothingWaits,
    onLoss: losses.on,
    probe: () => cluster.probe(),
    get rawClient() {
      return cluster.clients;
    },
    close: (atOnce) => cluster.close(atOnce),
  };
}

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
