import { MemoryCache } from '../../cache/memory-cache.js';
import { MemoryChannel } from '../../channel/memory-channel.js';
import { MemoryConcurrency } from '../../concurrency/memory-concurrency.js';
import { MemoryCounter } from '../../counter/memory-counter.js';
import type { Keys } from '../../keys.js';
import { MemoryMap } from '../../map/memory-map.js';
import { MemoryPlainMap } from '../../map/memory-plain-map.js';
import { MemoryOwners } from '../../owners/memory-owners.js';
import { MemoryPresence } from '../../presence/memory-presence.js';
import { MemoryLock } from '../../lock/memory-lock.js';
import { MemoryReadWriteLock } from '../../lock/memory-read-write-lock.js';
import { MemoryRateLimit } from '../../rate-limit/memory-rate-limit.js';
import { MemoryQueue } from '../../queue/memory-queue.js';
import { MemoryRunOnce } from '../../run-once/memory-run-once.js';
import { MemorySession } from '../../session/memory-session.js';
import { MemoryUniqueSet } from '../../unique-set/memory-unique-set.js';
import type { Backend, Ports } from '../backend.js';
import { plainPorts } from '../closed-ports.js';
import { nothingWaits } from '../nothing-waits.js';
import type { MemoryStore } from './memory-store.js';

/** Gathers the memory twins over one store. Closing leaves the store to whoever else uses it, unless `owned`. */
export function createMemoryBackend(store: MemoryStore, keys: Keys, owned: boolean): Backend {
  return {
    ...plainPorts(memoryPorts(store, keys)),
    portsFor: (others) => plainPorts(memoryPorts(store, others)),
    bus: store.bus,
    remote: false,
    status: () => ({ kind: 'memory', connected: true }),
    onStatusChange: () => () => undefined,
    ...nothingWaits,
    onLoss: () => () => undefined,
    probe: () => Promise.resolve(),
    rawClient: undefined,
    close: async () => {
      if (owned) store.close();
    },
  };
}

function memoryPorts(store: MemoryStore, keys: Keys): Ports {
  return {
    queue: new MemoryQueue(store, keys),
    cache: new MemoryCache(store, keys),
    channel: new MemoryChannel(store, keys),
    concurrency: new MemoryConcurrency(store, keys),
    counter: new MemoryCounter(store, keys),
    map: new MemoryMap(store, keys),
    plainMap: new MemoryPlainMap(store, keys),
    owners: new MemoryOwners(store, keys),
    presence: new MemoryPresence(store, keys),
    lock: new MemoryLock(store, keys),
    readWriteLock: new MemoryReadWriteLock(store, keys),
    rateLimit: new MemoryRateLimit(store, keys),
    runOnce: new MemoryRunOnce(store, keys),
    session: new MemorySession(store, keys),
    uniqueSet: new MemoryUniqueSet(store, keys),
  };
}
