import type { Keys } from '../../keys.js';
import type { Backend, Ports } from '../backend.js';
import { plainPorts } from '../closed-ports.js';
import { nothingWaits } from '../nothing-waits.js';
import type { StatusWatch } from '../status-watch.js';
import type { LossWatch } from './loss-watch.js';

/** One connection, several, or one to each node of a cluster. */
interface StoreConnection extends Pick<Backend, 'bus' | 'status' | 'probe' | 'close'> {
  /** The client library's own, which may be another one later. */
  readonly client: unknown;
}

interface ConnectedParts {
  readonly watch: StatusWatch;
  readonly losses: LossWatch;
  readonly keys: Keys;
  readonly portsFor: (keys: Keys) => Ports;
}

/** The backend over a connection, which answers nothing by itself. */
export function connectedBackend(
  connection: StoreConnection,
  { watch, losses, keys, portsFor }: ConnectedParts,
): Backend {
  return {
    ...plainPorts(portsFor(keys)),
    portsFor: (others) => plainPorts(portsFor(others)),
    bus: connection.bus,
    remote: true,
    status: () => connection.status(),
    onStatusChange: watch.on,
    ...nothingWaits,
    onLoss: losses.on,
    probe: () => connection.probe(),
    get rawClient() {
      return connection.client;
    },
    close: (atOnce) => connection.close(atOnce),
  };
}
