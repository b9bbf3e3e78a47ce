import type { MemoryBudget } from './memory-budget.js';
import type { Due } from './expiry-heap.js';

/** What a table asks of the store it lives in. */
export interface TableHome {
  now(): number;
  /** Has `due.look()` called soon after `due.atMs` has passed. */
  schedule(due: Due): void;
  readonly budget: MemoryBudget;
}

class Entry<Value> {
  value: Value;
  expiresAtMs: number;
  bytes: number;
  /** Whether it was read since the evicting hand last passed. */
  used = false;
  /** When the store will look at this entry; Infinity while no look is planned. */
  lookAtMs = Infinity;

  constructor(value: Value, expiresAtMs: number, bytes: number) {
    this.value = value;
    this.expiresAtMs = expiresAtMs;
    this.bytes = bytes;
  }
}

/** Bytes that an entry costs besides key and value: Map slot, entry object, heap item. Measured, rounded up. */
const entryOverheadBytes = 150;

/**
 * Keys with an optional expiry: what every memory twin stands on. An entry is alive while `now <= expiresAtMs`, checked
 * on each read, exactly as Redis does; the store's one timer removes what nobody reads.
 */
export class ExpiringTable<Value> {
  readonly #home: TableHome;
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(home: TableHome) {
    this.#home = home;
  }

  /** Entries held, of which some may have expired a moment ago. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a live entry. A read one outlives, once, those that were not read when room is made. */
  get(key: string): Value | undefined {
    const entry = this.#alive(key);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  has(key: string): boolean {
    return this.#alive(key) !== undefined;
  }

  /** Milliseconds since 1970 at which `key` expires, Infinity if never, undefined if absent. */
  expiresAtMs(key: string): number | undefined {
    return this.#alive(key)?.expiresAtMs;
  }

  /**
   * Sets or replaces `key`. `bytes` is the size of the value, for the store's bound.
   * @throws OverloadedError when the bound is reached and nothing may be evicted. The old value is kept then.
   */
  set(key: string, value: Value, bytes: number, expiresAtMs: number = Infinity): void {
    const entry = this.#entries.get(key);
    const cost = bytes + 2 * key.length + entryOverheadBytes;
    if (entry === undefined) return this.#insert(key, value, expiresAtMs, cost);
    if (cost > entry.bytes) this.#takeFor(key, entry, cost - entry.bytes);
    else this.#home.budget.give(entry.bytes - cost);
    entry.value = value;
    entry.bytes = cost;
    // It counts as fresh, wherever it stands.
    entry.used = true;
    this.#expire(key, entry, expiresAtMs);
  }

  /** Moves the expiry of a live entry; returns whether there was one. */
  expire(key: string, expiresAtMs: number): boolean {
    const entry = this.#alive(key);
    if (entry !== undefined) this.#expire(key, entry, expiresAtMs);
    return entry !== undefined;
  }

  /** Returns whether a live entry was removed. */
  delete(key: string): boolean {
    const alive = this.#alive(key) !== undefined;
    this.#remove(key);
    return alive;
  }

  /** The live keys, oldest first. */
  *keys(): IterableIterator<string> {
    for (const key of this.#entries.keys()) if (this.#alive(key)) yield key;
  }

  /** Removes the first entry that was not read since the last pass; returns false when the table is empty. */
  evictOne(): boolean {
    for (const [key, entry] of this.#entries) {
      if (!entry.used) return this.#remove(key);
      entry.used = false;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return false;
  }

  #alive(key: string): Entry<Value> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs !== Infinity && this.#home.now() > entry.expiresAtMs) {
      this.#remove(key);
      return undefined;
    }
    return entry;
  }

  // Making room must not evict the entry that is being replaced and give its bytes back twice.
  #takeFor(key: string, entry: Entry<Value>, bytes: number): void {
    this.#entries.delete(key);
    try {
      this.#home.budget.take(bytes);
    } finally {
      this.#entries.set(key, entry);
    }
  }

  #insert(key: string, value: Value, expiresAtMs: number, cost: number): void {
    this.#home.budget.take(cost);
    const entry = new Entry(value, expiresAtMs, cost);
    this.#entries.set(key, entry);
    this.#expire(key, entry, expiresAtMs);
  }

  // A later expiry needs no new look: the planned one comes first and plans the next.
  #expire(key: string, entry: Entry<Value>, expiresAtMs: number): void {
    entry.expiresAtMs = expiresAtMs;
    if (expiresAtMs >= entry.lookAtMs) return;
    entry.lookAtMs = expiresAtMs;
    this.#home.schedule({
      atMs: expiresAtMs,
      wanted: () => this.#entries.get(key) === entry && entry.lookAtMs === expiresAtMs,
      look: () => this.#look(key, entry),
    });
  }

  #look(key: string, entry: Entry<Value>): void {
    entry.lookAtMs = Infinity;
    if (this.#home.now() > entry.expiresAtMs) this.#remove(key);
    else if (entry.expiresAtMs !== Infinity) this.#expire(key, entry, entry.expiresAtMs);
  }

  #remove(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#home.budget.give(entry.bytes);
    return true;
  }
}
