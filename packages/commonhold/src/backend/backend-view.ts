import type { Keys } from '../keys.js';
import type { Backend } from './backend.js';

/** The same connection with other keys. Closing it leaves the connection to whom it belongs. */
export function backendView(backend: Backend, keys: Keys): Backend {
  return {
    ports: backend.portsFor(keys),
    portsFor: (others) => backend.portsFor(others),
    bus: backend.bus,
    remote: backend.remote,
    status: () => backend.status(),
    onStatusChange: (listener) => backend.onStatusChange(listener),
    probe: () => backend.probe(),
    get rawClient() {
      return backend.rawClient;
    },
    close: async () => undefined,
  };
}
