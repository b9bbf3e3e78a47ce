import type { Clock } from '../../clock.js';
import type { Keys } from '../../keys.js';
import type { Log } from '../../log.js';
import type { Random } from '../../random.js';
import type { Backend, BackendStatus } from '../backend.js';
import { createMemoryStore } from '../memory/memory-store.js';
import { StatusWatch } from '../status-watch.js';
import { AwayBus } from './away-bus.js';
import type { AwayPlace } from './away-place.js';
import { Journal } from './journal.js';
import { Outage } from './outage.js';
import type { AwayTally } from './resilient-port.js';
import { resilientPorts } from './resilient-ports.js';

/** Bound on what a process does by itself meanwhile: some hundred thousand subjects of limiters. */
const localBytes = 32 * 1024 * 1024;

/** What a resilient backend needs besides the store that it goes to. */
export interface ResilientOptions {
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `name#incarnation` of this process. */
  readonly owner: string;
  /** Bound on what waits for the store. Default 8 MiB. */
  readonly journalBytes?: number | undefined;
}

/**
 * `store`, with what each feature does while that is away (DECISIONS K9). There is no circuit here: a connection that is not
 * known to be well rejects within microseconds by itself, and each call is answered by whether its own part of the store did.
 */
export function createResilientBackend(store: Backend, options: ResilientOptions): Backend {
  const { clock, random, log, owner, journalBytes } = options;
  const journal = new Journal(owner, journalBytes);
  const watch = new StatusWatch();
  const outage = new Outage({ status: () => store.status(), journal, clock, random, log, onChange: watch.changed });
  const processes = lastProcesses(() => store.status());
  let [returns, isThere] = [0, store.status().connected];
  const unwatch = store.onStatusChange(() => {
    const wasThere = isThere;
    isThere = store.status().connected;
    if (isThere && !wasThere) returns += 1;
    processes();
    outage.look();
    // Of a store that is there and takes no writes, the outage knows nothing.
    watch.changed();
  });
  const memory = createMemoryStore({ clock, maxBytes: localBytes });
  const tally: AwayTally = new Map();
  const bus = new AwayBus(store.bus, log);
  const tell: AwayPlace['tell'] = (channel, message) => bus.tell(channel, message);
  const place: AwayPlace = { clock, journal, memory, owner, tally, tell, returns: () => returns, processes };
  return {
    ...resilientPorts(store, options.keys, place),
    portsFor: (keys) => resilientPorts(store.portsFor(keys), keys, place),
    bus,
    remote: store.remote,
    status: () => withOutage(store.status(), outage.reason, journal),
    onStatusChange: watch.on,
    onConflict: (listener) => journal.onConflict(listener),
    onLoss: (listener) => store.onLoss(listener),
    probe: () => store.probe(),
    get rawClient() {
      return store.rawClient;
    },
    awayCounts: () => new Map(tally),
    flush: async () => {
      if (!journal.empty && store.status().connected) await journal.replay();
    },
    close: async (atOnce) => {
      outage.close();
      unwatch();
      memory.close();
      if (!journal.empty) log.warn({ ...journal.size }, 'Closing with writes that Redis has not got: they are lost');
      await store.close(atOnce);
    },
  };
}

/** Says how many processes there were when the store was heard last. */
function lastProcesses(status: () => BackendStatus): () => number {
  let known = 1;
  return () => {
    const now = status();
    if (now.kind === 'redis' && now.connected) known = now.processes ?? known;
    return known;
  };
}

function withOutage(store: BackendStatus, reason: string | undefined, journal: Journal): BackendStatus {
  const waiting = journal.empty ? {} : { journal: journal.size };
  if (!store.connected || reason === undefined) return { ...store, ...waiting };
  return {
    kind: 'redis',
    connected: false,
    reason: 'Redis is back: what was written meanwhile is brought there',
    ...waiting,
  };
}
