import type { Keys } from '../keys.js';
import type { Backend } from './backend.js';

/** The same connection with other keys. Closing it leaves the connection to whom it belongs. */
export function backendView(backend: Backend, keys: Keys): Backend {
  const { ports, portFor, closePorts } = backend.portsFor(keys);
  return {
    ports,
    portFor,
    closePorts,
    portsFor: (others) => backend.portsFor(others),
    bus: backend.bus,
    ...(backend.cacheBus === undefined ? {} : { cacheBus: backend.cacheBus }),
    remote: backend.remote,
    spools: backend.spools,
    status: () => backend.status(),
    onStatusChange: (listener) => backend.onStatusChange(listener),
    onConflict: (listener) => backend.onConflict(listener),
    onLoss: (listener) => backend.onLoss(listener),
    probe: () => backend.probe(),
    get rawClient() {
      return backend.rawClient;
    },
    awayCounts: () => backend.awayCounts(),
    flush: () => backend.flush(),
    close: async () => undefined,
  };
}
