import type { Keys } from '../../keys.js';
import type { Backend } from '../backend.js';
import { StatusWatch } from '../status-watch.js';
import { ClusterConnection } from './cluster-connection.js';
import type { ClusterOptions } from './cluster-nodes.js';
import { connectedBackend } from './connected-backend.js';
import { Epochs } from './epochs.js';
import { LossWatch } from './loss-watch.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import { redisPorts } from './redis-ports.js';

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
  return connectedBackend(connection, {
    watch,
    losses,
    keys,
    portsFor: (others) => redisPorts(connection.wire, others),
  });
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
  return connectedBackend(cluster, { watch, losses, keys, portsFor: (others) => redisPorts(cluster.wire, others) });
}
