import { MemoryCache } from '../../cache/memory-cache.js';
import { MemoryChannel } from '../../channel/memory-channel.js';
import { MemoryCounter } from '../../counter/memory-counter.js';
import type { Keys } from '../../keys.js';
import { MemoryRateLimit } from '../../rate-limit/memory-rate-limit.js';
import { MemoryQueue } from '../../queue/memory-queue.js';
import { MemorySession } from '../../session/memory-session.js';
import type { Backend } from '../backend.js';
import type { MemoryStore } from './memory-store.js';

/** Gathers the memory twins over one store. Closing leaves the store to whoever else uses it, unless `owned`. */
export function createMemoryBackend(store: MemoryStore, keys: Keys, owned: boolean): Backend {
  return {
    ports: {
      queue: new MemoryQueue(store, keys),
      cache: new MemoryCache(store, keys),
      channel: new MemoryChannel(store, keys),
      counter: new MemoryCounter(store, keys),
      rateLimit: new MemoryRateLimit(store, keys),
      session: new MemorySession(store, keys),
    },
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
