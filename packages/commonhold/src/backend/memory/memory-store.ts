import { systemClock, type Clock, type Timer } from '../../clock.js';
import type { Stored } from '../../codec/stored.js';
import { InvalidArgumentError } from '../../errors.js';
import type { Keys } from '../../keys.js';
import type { Log } from '../../log.js';
import type { Backend } from '../backend.js';
import { ExpiringTable } from './expiring-table.js';
import { ExpiryHeap, type Due } from './expiry-heap.js';
import { LocalBus } from './local-bus.js';
import { MemoryBudget } from './memory-budget.js';

/** Options of `createMemoryStore`. */
export interface MemoryStoreOptions {
  /** Bound on the estimated bytes held, 64 MiB by default. Caches evict at it; other features answer Overloaded. */
  readonly maxBytes?: number;
  /** Time, for tests. */
  readonly clock?: Clock;
}

/** Who speaks to a store at a distance. */
export interface StoreUser {
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

const defaultMaxBytes = 64 * 1024 * 1024;
const smallestCompaction = 10_000;

/**
 * What Redis is to the Redis backend: tables with expiry, publish and subscribe, one clock. Give one store to several
 * `openState` calls and they share state as processes share a Redis.
 */
export class MemoryStore {
  readonly clock: Clock;
  readonly bus: LocalBus = new LocalBus();
  readonly budget: MemoryBudget;
  readonly #tables = new Map<string, ExpiringTable<unknown>>();
  readonly #evictable: ExpiringTable<unknown>[] = [];
  readonly #heap = new ExpiryHeap();
  #compactAtSize = smallestCompaction;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor(options: MemoryStoreOptions = {}) {
    const maxBytes = options.maxBytes ?? defaultMaxBytes;
    if (!(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
      throw new InvalidArgumentError('maxBytes', 'a positive whole number of bytes', maxBytes);
    }
    this.clock = options.clock ?? systemClock;
    this.budget = new MemoryBudget(maxBytes, () => this.#evictOne());
  }

  now(): number {
    return this.clock.now();
  }

  /**
   * What a state speaks to that is opened on this store, where that is at a distance and can be away, as one for tests may
   * be; undefined where state is simply here.
   */
  connect(_user: StoreUser): Backend | undefined {
    return undefined;
  }

  /** The table called `name`, made on first use. Entries of an `evictable` table make room for others. */
  table<Value>(name: string, options: { readonly evictable?: boolean } = {}): ExpiringTable<Value> {
    const existing = this.#tables.get(name) as ExpiringTable<Value> | undefined;
    if (existing !== undefined) return existing;
    const table = new ExpiringTable<Value>(this);
    this.#tables.set(name, table);
    if (options.evictable) this.#evictable.push(table);
    return table;
  }

  /** Looks planned, of which at most about half are no longer wanted once there are 10,000. */
  get plannedLooks(): number {
    return this.#heap.size;
  }

  /** Has `due.look()` called soon after `due.atMs` has passed: one heap and one timer for the whole store. */
  schedule(due: Due): void {
    if (due.atMs === Infinity) return;
    this.#heap.push(due);
    if (this.#heap.size >= this.#compactAtSize) this.#compact();
    this.#arm();
  }

  /** Stops the timer. What is stored stays readable. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
  }

  #arm(): void {
    const earliest = this.#heap.earliestMs ?? Infinity;
    if (earliest >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = earliest;
    this.#timer = this.clock.setTimer(() => this.#sweep(), Math.max(1, earliest + 1 - this.now()));
  }

  #sweep(): void {
    this.#timerAtMs = Infinity;
    this.#timer = undefined;
    const now = this.now();
    for (let due = this.#heap.popBefore(now); due; due = this.#heap.popBefore(now)) {
      if (due.wanted()) due.look();
    }
    this.#arm();
  }

  // Entries deleted long before their expiry leave their looks behind; the heap never holds more unwanted than wanted.
  #compact(): void {
    this.#heap.compact();
    this.#compactAtSize = Math.max(smallestCompaction, 2 * this.#heap.size);
  }

  #evictOne(): boolean {
    return this.#evictable.some((table) => table.evictOne());
  }
}

/** A store to give to several `openState` calls. By default each has its own. */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryStore(options);
}

/** Size of a stored value for the store's bound. */
export function storedBytes(stored: Stored): number {
  return stored.length;
}

/** A stored value as it may leave the store: bytes are copied, so that a caller cannot change what is kept. */
export function handOut(stored: Stored): Stored {
  return typeof stored === 'string' ? stored : Buffer.from(stored);
}
