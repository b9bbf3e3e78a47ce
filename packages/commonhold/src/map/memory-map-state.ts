import { ExpiryHeap } from '../backend/memory/expiry-heap.js';
import type { Stored } from '../codec/stored.js';
import { emptyKeepMs, mostEndedAtOnce } from './map-port.js';

/** An entry in memory. */
export interface MemoryEntry {
  readonly value: Stored;
  readonly version: number;
  readonly owner: string;
  /** Infinity without end. */
  readonly expiresAtMs: number;
}

interface PlacedEntry extends MemoryEntry {
  /** Where its key stands among all. */
  place: number;
}

/** Bytes that an entry costs besides key and value: two Map slots, one object, a place, an item of the heap. */
const entryOverheadBytes = 250;

/** Ended entries may be spread over the heap's unwanted items; it is cleaned when it holds this many more than entries. */
const heapSlack = 1_000;

/** One map in memory: what its hash and its sorted set of ends are on Redis. */
export class MemoryMapState {
  /** The version last given; 0 for none. */
  version = 0;
  bytes = 0;
  /** When nothing can be alive any more, and an hour: Infinity while an entry has no end. */
  lifeEndsAtMs: number = -Infinity;
  readonly #entries = new Map<string, PlacedEntry>();
  /**
   * Every key at its place. Pages go from the end to the start, and a removed key gives its place to the last one: that
   * one was read before, so pages never miss a key, though one may come twice.
   */
  readonly #keys: string[] = [];
  #ends = new ExpiryHeap();
  #timed = 0;

  /** Entries held, of which some may have ended. */
  get size(): number {
    return this.#entries.size;
  }

  /** The entry of `key`, ended or not. */
  held(key: string): MemoryEntry | undefined {
    return this.#entries.get(key);
  }

  /** The entry of `key` that has not ended. */
  alive(key: string, nowMs: number): MemoryEntry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && nowMs <= entry.expiresAtMs ? entry : undefined;
  }

  /** What `bytes` would grow by if `key` were set to `value`. */
  growth(key: string, value: Stored): number {
    const held = this.#entries.get(key);
    return sizeOf(key, value) - (held === undefined ? 0 : sizeOf(key, held.value));
  }

  set(key: string, entry: MemoryEntry): void {
    const held = this.#entries.get(key);
    this.bytes += this.growth(key, entry.value);
    if (held !== undefined && held.expiresAtMs !== Infinity) this.#timed--;
    const placed = { ...entry, place: held?.place ?? this.#keys.push(key) - 1 };
    this.#entries.set(key, placed);
    if (placed.expiresAtMs !== Infinity) this.#plan(key, placed);
  }

  /** Returns whether there was one, ended or not. */
  delete(key: string): boolean {
    const held = this.#entries.get(key);
    if (held === undefined) return false;
    this.#entries.delete(key);
    this.#giveUp(held.place);
    this.bytes -= sizeOf(key, held.value);
    if (held.expiresAtMs !== Infinity) this.#timed--;
    return true;
  }

  /** The keys of up to {@link mostEndedAtOnce} entries that have ended, in the order they did. They must be deleted now. */
  takeEnded(nowMs: number): string[] {
    const ended: string[] = [];
    while (ended.length < mostEndedAtOnce) {
      const due = this.#ends.popBefore(nowMs) as EndOfEntry | undefined;
      if (due === undefined) break;
      if (due.wanted()) ended.push(due.key);
    }
    return ended;
  }

  /** How many entries have not ended. */
  count(nowMs: number): number {
    if (this.#timed === 0) return this.#entries.size;
    let count = 0;
    for (const entry of this.#entries.values()) if (nowMs <= entry.expiresAtMs) count++;
    return count;
  }

  /** The `limit` entries before place `end`, ended or not, and the end of the next page, 0 after the last. */
  page(end: number, limit: number): { entries: (readonly [string, MemoryEntry])[]; end: number } {
    const upTo = Math.min(end, this.#keys.length);
    const from = Math.max(0, upTo - limit);
    const keys = this.#keys.slice(from, upTo);
    return { entries: keys.map((key) => [key, this.#entries.get(key) as PlacedEntry] as const), end: from };
  }

  /** Says when the map itself may go, after a change; as `keep_alive` in lua/entries.lua. */
  keepAlive(nowMs: number, writtenEndsAtMs: number): void {
    if (this.#entries.size > this.#timed) this.lifeEndsAtMs = Infinity;
    else if (this.lifeEndsAtMs === Infinity) this.lifeEndsAtMs = this.#latestEnd(nowMs) + emptyKeepMs;
    else this.lifeEndsAtMs = Math.max(this.lifeEndsAtMs, Math.max(nowMs, writtenEndsAtMs) + emptyKeepMs);
  }

  #giveUp(place: number): void {
    const last = this.#keys.pop() as string;
    const entry = this.#entries.get(last);
    // Without an entry, the last key is the one that was removed.
    if (entry === undefined) return;
    this.#keys[place] = last;
    entry.place = place;
  }

  #latestEnd(nowMs: number): number {
    let latest = nowMs;
    for (const { expiresAtMs } of this.#entries.values()) latest = Math.max(latest, expiresAtMs);
    return latest;
  }

  #plan(key: string, entry: MemoryEntry): void {
    this.#timed++;
    this.#ends.push(new EndOfEntry(key, entry.expiresAtMs, () => this.#entries.get(key) === entry));
    if (this.#ends.size > 2 * this.#timed + heapSlack) this.#ends.compact();
  }
}

class EndOfEntry {
  readonly key: string;
  readonly atMs: number;
  readonly wanted: () => boolean;

  constructor(key: string, atMs: number, wanted: () => boolean) {
    this.key = key;
    this.atMs = atMs;
    this.wanted = wanted;
  }

  look(): void {}
}

function sizeOf(key: string, value: Stored): number {
  return 2 * key.length + value.length + entryOverheadBytes;
}
