import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { MemoryFences } from '../backend/memory/memory-fences.js';
import { MemoryOperations } from '../backend/memory/memory-operations.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import type { Guard } from '../guard.js';
import type { Keys } from '../keys.js';
import type { Operation } from '../operation-id.js';
import { counterOperations as operations } from './counter-operations.js';
import { type CounterPort, counterCall, type DayCounts, counterFull } from './counter-port.js';
import { dayExpiresAtMs, dayMs } from './days.js';

interface Total {
  value: number;
}

const totalBytes = 24;
/** One number in a Map of numbers. Measured, rounded up. */
const dayBytes = 48;

/** A table of totals, and beside it one of counts by day. */
export class MemoryCounter implements CounterPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #totals: ExpiringTable<Total>;
  readonly #days: ExpiringTable<Map<number, number>>;
  readonly #operations: MemoryOperations<number>;
  readonly #fences: MemoryFences;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#totals = store.table('counter');
    this.#days = store.table('counter-days');
    this.#operations = new MemoryOperations(store, 'counter');
    this.#fences = new MemoryFences(store);
  }

  async add(
    counter: string,
    by: number,
    ttlMs: number | undefined,
    keepMs: number | undefined,
    guard?: Guard,
  ): Promise<number> {
    this.#fences.pass(operations.add, this.#key(counter), guard);
    return this.#add(counter, by, ttlMs, keepMs);
  }

  async addOnce(
    counter: string,
    by: number,
    ttlMs: number | undefined,
    keepMs: number | undefined,
    operation: Operation,
    guard?: Guard,
  ): Promise<number> {
    this.#fences.pass(operations.addOnce, this.#key(counter), guard);
    const add = (): number => this.#add(counter, by, ttlMs, keepMs);
    return this.#operations.once(this.#key(counter), operation, String(by), counterCall(counter), add);
  }

  #add(counter: string, by: number, ttlMs: number | undefined, keepMs: number | undefined): number {
    const key = this.#key(counter);
    const total = this.#totals.get(key);
    const sum = exactSum(counter, total?.value ?? 0, by);
    if (total === undefined) this.#begin(key, sum, ttlMs);
    try {
      if (keepMs !== undefined) this.#addToday(counter, key, by, keepMs);
    } catch (error) {
      if (total === undefined) this.#totals.delete(key);
      throw error;
    }
    if (total !== undefined) total.value = sum;
    return sum;
  }

  async get(counter: string, guard?: Guard): Promise<number> {
    const key = this.#key(counter);
    this.#fences.pass(operations.get, key, guard);
    return this.#totals.get(key)?.value ?? 0;
  }

  async reset(counter: string, guard?: Guard): Promise<number> {
    this.#fences.pass(operations.reset, this.#key(counter), guard);
    return this.#reset(counter);
  }

  async resetOnce(counter: string, operation: Operation, guard?: Guard): Promise<number> {
    this.#fences.pass(operations.resetOnce, this.#key(counter), guard);
    const reset = (): number => this.#reset(counter);
    return this.#operations.once(this.#key(counter), operation, 'reset', counterCall(counter), reset);
  }

  #reset(counter: string): number {
    const key = this.#key(counter);
    const total = this.#totals.get(key)?.value ?? 0;
    this.#totals.delete(key);
    return total;
  }

  async series(counter: string, keepMs: number, days: number, lastDay: number | undefined): Promise<DayCounts> {
    const now = this.#store.now();
    const stored = this.#days.get(this.#key(counter));
    const last = lastDay ?? Math.floor(now / dayMs);
    const counts = Array.from({ length: days }, (_, index) => {
      const day = last - days + 1 + index;
      return dayExpiresAtMs(day, keepMs) >= now ? (stored?.get(day) ?? 0) : 0;
    });
    return { lastDay: last, counts };
  }

  #key(counter: string): string {
    return this.#keys.tagged('counter', counter);
  }

  #begin(key: string, value: number, ttlMs: number | undefined): void {
    this.#totals.set(key, { value }, totalBytes, ttlMs === undefined ? Infinity : this.#store.now() + ttlMs);
  }

  // The first add of a day drops the days that are no longer kept, and decides when all of them end.
  #addToday(counter: string, key: string, by: number, keepMs: number): void {
    const now = this.#store.now();
    const today = Math.floor(now / dayMs);
    const days = this.#days.get(key);
    const count = exactSum(counter, days?.get(today) ?? 0, by);
    if (days?.has(today)) {
      days.set(today, count);
      return;
    }
    const kept = [...(days ?? [])].filter(([day]) => dayExpiresAtMs(day, keepMs) >= now);
    kept.push([today, count]);
    this.#days.set(key, new Map(kept), kept.length * dayBytes, dayExpiresAtMs(today, keepMs));
  }
}

function exactSum(counter: string, value: number, by: number): number {
  const sum = value + by;
  if (!Number.isSafeInteger(sum)) throw counterFull(counter);
  return sum;
}
