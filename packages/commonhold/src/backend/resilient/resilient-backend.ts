import type { Clock } from '../../clock.js';
import type { Keys } from '../../keys.js';
import type { Log } from '../../log.js';
import type { Owner } from '../../owner.js';
import { JobSpool } from '../../queue/away-spool.js';
import type { Random } from '../../random.js';
import type { Backend, BackendStatus, PortSet } from '../backend.js';
import { createMemoryStore } from '../memory/memory-store.js';
import { StatusWatch } from '../status-watch.js';
import { Absence } from './absence.js';
import { AwayBus } from './away-bus.js';
import type { AwayPlace } from './away-place.js';
import type { JournalFolder } from './journal-folder.js';
import { Journal } from './journal.js';
import { JournalScope } from './journal-scope.js';
import { Outage } from './outage.js';
import type { AwayTally } from './resilient-port.js';
import { resilientPorts } from './resilient-ports.js';

/** Bound on what a process does by itself meanwhile: some hundred thousand subjects of limiters. */
const localBytes = 32 * 1024 * 1024;

/** What a resilient backend needs besides the store that it goes to. */
export interface ResilientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly owner: Owner;
  /** Those that `store` was made with. */
  readonly keys: Keys;
  /** Bound on what waits for the store. Default 8 MiB. */
  readonly journalBytes?: number | undefined;
  /** Where jobs wait for the store, and how long the disk may take to have one. Default: nowhere. */
  readonly spool?: { readonly folder: JournalFolder; readonly deadlineMs: number } | undefined;
}

/**
 * `store`, with what each feature does while that is away (DECISIONS K9). There is no circuit here: a connection that is not
 * known to be well rejects within microseconds by itself, and each call is answered by whether its own part of the store did.
 */
export function createResilientBackend(store: Backend, options: ResilientOptions): Backend {
  const { clock, random, log, owner, keys, journalBytes } = options;
  const journal = new Journal(owner.id, journalBytes);
  const watch = new StatusWatch();
  const outage = new Outage({ status: () => store.status(), journal, clock, random, log, onChange: watch.changed });
  const spool = spoolOf(store, options);
  const processes = lastProcesses(() => store.status());
  const returned = new Set<(leftAtMs: number) => void>();
  const absence = new Absence(clock, store.status().connected);
  const unwatch = store.onStatusChange(() => {
    if (absence.isOver(store.status().connected)) for (const listener of returned) listener(absence.leftAtMs);
    processes();
    outage.look();
    // Of a store that is there and takes no writes, the outage knows nothing.
    watch.changed();
    void spool?.replay();
  });
  const unwatchLoss = store.onLoss(() => {
    for (const listener of returned) listener(absence.leftAtMs);
    void journal.replay();
  });
  const memory = createMemoryStore({ clock, maxBytes: localBytes });
  const tally: AwayTally = new Map();
  const bus = new AwayBus(store.bus, log);
  const tell: AwayPlace['tell'] = (channel, message) => bus.tell(channel, message);
  const shared = { clock, memory, owner: owner.id, tally, tell, processes };
  const portsOn = (set: PortSet, own: Keys): PortSet => {
    const scope = new JournalScope(journal, own.namespace);
    const listeners = new Set<(leftAtMs: number) => void>();
    const onReturn: AwayPlace['onReturn'] = (listener) => void (returned.add(listener), listeners.add(listener));
    const leave = async (): Promise<void> => {
      await scope.close();
      for (const listener of listeners) returned.delete(listener);
    };
    return resilientPorts(set, own, { ...shared, journal: scope, onReturn }, { spool, leave });
  };
  return {
    ...portsOn(store, keys),
    portsFor: (others) => portsOn(store.portsFor(others), others),
    bus,
    remote: store.remote,
    spools: spool !== undefined,
    status: () => ({ ...withOutage(store.status(), outage.reason, journal), ...spool?.status() }),
    onStatusChange: watch.on,
    onConflict: (listener) => journal.onConflict(listener),
    onLoss: (listener) => store.onLoss(listener),
    probe: () => store.probe(),
    get rawClient() {
      return store.rawClient;
    },
    awayCounts: () => new Map(tally),
    flush: async () => {
      if (!store.status().connected) return;
      if (!journal.empty) await journal.replay();
      await spool?.replay();
    },
    close: async (atOnce) => {
      outage.close();
      unwatch();
      unwatchLoss();
      memory.close();
      if (!journal.empty) log.warn({ ...journal.size }, 'Closing with writes that Redis has not got: they are lost');
      await spool?.close();
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

function spoolOf(store: Backend, { spool, ...options }: ResilientOptions): JobSpool | undefined {
  if (spool === undefined) return undefined;
  return new JobSpool({
    ...options,
    ...spool,
    connected: () => store.status().connected,
    portOf: (namespace) => portsOf(store, options.keys, namespace).ports.queue,
  });
}

/** The ports of the state itself, or of a view of it. */
function portsOf(store: Backend, keys: Keys, namespace: string): PortSet {
  const tenants = namespace.slice(keys.namespace.length + 1);
  if (tenants === '') return store;
  return store.portsFor(tenants.split(':').reduce((outer, tenant) => outer.within(decodeURIComponent(tenant)), keys));
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
