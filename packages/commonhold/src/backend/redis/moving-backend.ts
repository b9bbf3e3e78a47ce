import type { Keys } from '../../keys.js';
import type { Backend, Ports } from '../backend.js';
import { StatusWatch } from '../status-watch.js';
import { connectedBackend } from './connected-backend.js';
import { Epochs } from './epochs.js';
import { FallbackConnection, type FallbackOptions } from './fallback-connection.js';
import { LossWatch } from './loss-watch.js';
import { redisPorts } from './redis-ports.js';
import type { RedisWire } from './redis-wire.js';
import { SentinelConnection, type SentinelOptions } from './sentinel-connection.js';

/** Sentinels, and the keys to use on the master that they name. */
export interface SentinelBackendOptions extends Omit<SentinelOptions, 'epochs' | 'onLoss'> {
  readonly keys: Keys;
  /** `name#incarnation` of this process. */
  readonly owner: string;
}

/** Servers, and the keys to use on each. */
export interface FallbackBackendOptions extends Omit<FallbackOptions, 'epochs' | 'onLoss'> {
  readonly keys: Keys;
  /** `name#incarnation` of this process. */
  readonly owner: string;
}

/** Gathers the Redis twins over the master that sentinels name. Resolves after the first attempt to reach it. */
export async function createSentinelBackend(options: SentinelBackendOptions): Promise<Backend> {
  const { keys, owner: _, ...shared } = options;
  const watch = new StatusWatch();
  const losses = new LossWatch(options);
  const connection: SentinelConnection = await SentinelConnection.open(
    { ...shared, epochs: new Epochs(options), onLoss: (loss) => losses.tell(loss, connection.bus) },
    watch.changed,
  );
  const portsFor = (others: Keys): Ports => redisPorts(connection.wire, others);
  return connectedBackend(connection, { watch, losses, keys, portsFor });
}

/** Gathers the Redis twins over the first of several servers that can be reached. Resolves when one is, or none. */
export async function createFallbackBackend(options: FallbackBackendOptions): Promise<Backend> {
  const { keys, owner: _, ...shared } = options;
  const watch = new StatusWatch();
  const losses = new LossWatch(options);
  const connection: FallbackConnection = await FallbackConnection.open(
    {
      ...shared,
      epochs: (judge) => new Epochs({ ...options, judge }),
      onLoss: (loss) => losses.tell(loss, connection.bus),
    },
    watch.changed,
  );
  const portsFor = (others: Keys): Ports => fallbackPorts(connection, others);
  return connectedBackend(connection, { watch, losses, keys, portsFor });
}

// What two truths cannot harm is served by any server; all else by one that has what was written before.
function fallbackPorts({ wire, stateWire }: FallbackWires, keys: Keys): Ports {
  const { cache, rateLimit, counter, uniqueSet, presence } = redisPorts(wire, keys);
  return { ...redisPorts(stateWire, keys), cache, rateLimit, counter, uniqueSet, presence };
}

interface FallbackWires {
  readonly wire: RedisWire;
  readonly stateWire: RedisWire;
}
