import { MemoryCache } from '../../cache/memory-cache.js';
import type { Keys } from '../../keys.js';
import type { Backend } from '../backend.js';
import type { MemoryStore } from './memory-store.js';

/** Gathers the memory twins over one store. Closing leaves the store to whoever else uses it, unless `owned`. */
export function createMemoryBackend(store: MemoryStore, keys: Keys, owned: boolean): Backend {
  return {
    ports: { cache: new MemoryCache(store, keys) },
    bus: store.bus,
    remote: false,
    status: () => ({ kind: 'memory', connected: true }),
    probe: () => Promise.resolve(),
    rawClient: undefined,
    close: async () => {
      if (owned) store.close();
    },
  };
}
