import type { Keys } from '../keys.js';
import type { Backend, BackendStatus, PortSet } from './backend.js';

/** Caches on one backend and all else on another, each with a connection, a status and outages of its own. */
export function createSplitBackend(state: Backend, cache: Backend): Backend {
  return {
    ...joinedPorts(state, cache),
    portsFor: (keys: Keys) => joinedPorts(state.portsFor(keys), cache.portsFor(keys)),
    bus: state.bus,
    cacheBus: cache.bus,
    spools: state.spools,
    remote: true,
    status: () => joinedStatus(state.status(), cache.status()),
    onStatusChange: (listener) => both(state.onStatusChange(listener), cache.onStatusChange(listener)),
    onConflict: (listener) => both(state.onConflict(listener), cache.onConflict(listener)),
    // What caches have may go at any time.
    onLoss: (listener) => state.onLoss(listener),
    // A process whose caches are away serves well.
    probe: () => state.probe(),
    get rawClient() {
      return { state: state.rawClient, cache: cache.rawClient };
    },
    awayCounts: () => new Map([...state.awayCounts(), ...cache.awayCounts()]),
    flush: async () => void (await Promise.all([state.flush(), cache.flush()])),
    close: async (atOnce) => void (await Promise.all([state.close(atOnce), cache.close(atOnce)])),
  };
}

function joinedPorts(state: PortSet, cache: PortSet): PortSet {
  return {
    ports: { ...state.ports, cache: cache.ports.cache },
    portFor: (feature, away) => (feature === 'cache' ? cache : state).portFor(feature, away),
    closePorts: () => {
      state.closePorts();
      cache.closePorts();
    },
  };
}

function both(one: () => void, other: () => void): () => void {
  return () => {
    one();
    other();
  };
}

/** What the store of state says, and whether that of caches is away or refuses. What waits is told of the state. */
function joinedStatus(state: BackendStatus, cache: BackendStatus): BackendStatus {
  if (!state.connected) {
    const reasons = cache.connected ? [state.reason] : [state.reason, `caches: ${cache.reason}`];
    return { ...state, reason: `state: ${reasons.join('; ')}` };
  }
  const cacheAway = trouble(cache);
  return state.kind === 'memory' || cacheAway === undefined ? state : { ...state, cacheAway: `caches: ${cacheAway}` };
}

function trouble(status: BackendStatus): string | undefined {
  if (!status.connected) return status.reason;
  return status.kind === 'redis' ? status.refusing : undefined;
}
