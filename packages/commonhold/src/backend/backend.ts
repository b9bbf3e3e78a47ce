import type { AwayChoices } from '../away.js';
import type { CachePort } from '../cache/cache-port.js';
import type { ChannelPort } from '../channel/channel-port.js';
import type { ConcurrencyPort } from '../concurrency/concurrency-port.js';
import type { CounterPort } from '../counter/counter-port.js';
import type { MapEntryPort, MapPort } from '../map/map-port.js';
import type { LockPort, ReadWriteLockPort } from '../lock/lock-port.js';
import type { RateLimitPort } from '../rate-limit/rate-limit-port.js';
import type { OwnersPort } from '../owners/owners-port.js';
import type { PresencePort } from '../presence/presence-port.js';
import type { QueuePort } from '../queue/queue-port.js';
import type { RunOncePort } from '../run-once/run-once-port.js';
import type { SessionPort } from '../session/session-port.js';
import type { UniqueSetPort } from '../unique-set/unique-set-port.js';
import type { Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import type { Bus, Unsubscribe } from './bus.js';

/** One port for each feature. */
export interface Ports {
  readonly queue: QueuePort;
  readonly cache: CachePort;
  readonly channel: ChannelPort;
  readonly concurrency: ConcurrencyPort;
  readonly counter: CounterPort;
  readonly map: MapPort;
  /** Maps in the documented layout. */
  readonly plainMap: MapEntryPort;
  readonly owners: OwnersPort;
  readonly presence: PresencePort;
  readonly lock: LockPort;
  readonly readWriteLock: ReadWriteLockPort;
  readonly rateLimit: RateLimitPort;
  readonly runOnce: RunOncePort;
  readonly session: SessionPort;
  readonly uniqueSet: UniqueSetPort;
}

/** The ports over one set of keys. */
export interface PortSet {
  /** As uses without a choice of their own go to the store. */
  readonly ports: Ports;
  /** The port of `feature` for a use that chose what it does while the store is away. */
  portFor<Feature extends keyof AwayChoices>(this: void, feature: Feature, away: AwayChoices[Feature]): Ports[Feature];
  /** Has every method of every port reject with `Closed` from now on. */
  closePorts(this: void): void;
}

/** What the store says of itself; never waits for it. */
export type BackendStatus = StoreStatus & {
  /** What was written here while the store was away and waits for it; absent when there is nothing. */
  readonly journal?: JournalSize;
  /** The jobs that wait for it on disk; absent without a journal file, and when there are none and nothing was lost. */
  readonly spool?: SpoolSize;
};

type StoreStatus =
  | { readonly kind: 'memory'; readonly connected: true }
  | ConnectedRedis
  | ({ readonly kind: 'redis'; readonly connected: false; readonly reason: string } & Serving);

/** Which of several servers is in use. */
interface Serving {
  /** `host:port` of the master that sentinels name; `primary` or `fallback 1`. Absent where there is one server alone. */
  readonly endpoint?: string;
}

/** What waits for the store. */
export interface JournalSize {
  /** Keys that were written. */
  readonly entries: number;
  readonly bytes: number;
  /** Writes that would need more are refused. */
  readonly maxBytes: number;
}

/** Jobs that wait for the store on the disk of this process. */
export interface SpoolSize {
  /** How many. */
  readonly entries: number;
  readonly bytes: number;
  /** Jobs that would need more are refused. */
  readonly maxBytes: number;
  /** When the first of them was added, milliseconds since 1970; absent when none waits. */
  readonly oldestAtMs?: number;
  /**
   * Bytes that dead processes left and that could not be read, torn off at the end or damaged: seen by who took them over,
   * for as long as that lives.
   */
  readonly lostBytes: number;
}

/** What a write that waited for the store was about. */
export interface JournalSubject {
  readonly feature: string;
  /** Of the state, or of the view of it that was written to. */
  readonly namespace: string;
  /** Of the map, the counter and so on. */
  readonly name: string;
  /** Within it, where there is one. */
  readonly key?: string;
  /** What was written, where it was a value. */
  readonly ours?: Stored;
}

/** A write that waited for the store and is not brought there: what is there stays. */
export interface JournalConflict extends JournalSubject {
  readonly why: string;
}

/** A Redis, or a cluster, that can be reached. */
export interface ConnectedRedis extends Serving {
  readonly kind: 'redis';
  readonly connected: true;
  readonly version: string;
  /** What is wrong with it for anything but a cache. */
  readonly warning?: string;
  /** Why it takes no writes, or a part of it; it reads well. */
  readonly refusing?: string;
  /** How many processes use this namespace, this one among them: those that were heard of within 12 s. */
  readonly processes?: number;
  /** Why the server of caches is away or takes no writes, where they have one of their own: caches alone do without it. */
  readonly cacheAway?: string;
}

/**
 * The store lost what it had acknowledged: all of it (`empty`), or the latest (`rolledBack`), as after a restart from an older
 * copy or a failover to a replica that lagged, or some (`evicted`), as its memory is short and it may drop live keys.
 */
export interface StoreLoss {
  readonly kind: 'empty' | 'rolledBack' | 'evicted';
  /** `host:port` of the server. */
  readonly node: string;
}

/** How much was lost. */
export type StoreLossKind = StoreLoss['kind'];

/** A place where state lives. */
export interface Backend extends PortSet {
  /** Ports of their own over the same connection or store, for other keys. */
  portsFor(keys: Keys): PortSet;
  readonly bus: Bus;
  /** What caches publish on, where they live elsewhere than all else. */
  readonly cacheBus?: Bus;
  /** Whether values travel, so that compressing them pays. */
  readonly remote: boolean;
  /** Whether jobs are kept on disk while the store is away. */
  readonly spools: boolean;
  status(): BackendStatus;
  /** Calls `listener` when what `status` says may have changed. What it throws would harm: it must not throw. */
  onStatusChange(listener: () => void): Unsubscribe;
  /** Calls `listener` with each write that waited for the store in vain. It must not throw. */
  onConflict(listener: (conflict: JournalConflict) => void): Unsubscribe;
  /**
   * Calls `listener` when the store turned out to have lost data, within 5 s of the loss or of its return, before anybody
   * else is served. It must not throw.
   */
  onLoss(listener: (loss: StoreLoss) => void): Unsubscribe;
  /** Writes and reads back, with a script: what a ping does not prove. Rejects as any call does. */
  probe(): Promise<void>;
  /** The client library's own object, where there is one. */
  readonly rawClient: unknown;
  /** How many calls of each operation were answered without the store, by its name. */
  awayCounts(): ReadonlyMap<string, number>;
  /** Brings what waits for the store there, as far as it answers. */
  flush(): Promise<void>;
  /** Lets calls in flight end, within their deadline or not at all, and closes the connection. */
  close(atOnce?: boolean): Promise<void>;
}
