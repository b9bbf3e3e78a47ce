import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { type BucketState, drained, readBucket, refundBucket } from './bucket.js';
import type { Bucket, Meter, MeterReading, SlidingWindow } from './rate-limit-port.js';
import { counting, type Grain, readWindow, unitsOf, withHit, withoutHit } from './sliding-window.js';

/** What one subject used under one rule, as of now. */
export interface MemoryMeter {
  reading(weight: number): MeterReading;
  fits(weight: number): boolean;
  take(weight: number): void;
  /** Returns whether anything was given back. */
  giveBack(weight: number, atMs: number): boolean;
  /** @throws OverloadedError when the store is full. */
  write(table: ExpiringTable<unknown>): void;
  /** What puts the table back to how it is now. */
  undo(table: ExpiringTable<unknown>): () => void;
}

/** Estimated bytes of what is in use of one bucket. */
export const stateBytes = 48;

/** Reads what `key` holds of `meter` at `now`. */
export function meterIn(table: ExpiringTable<unknown>, key: string, meter: Meter, now: number): MemoryMeter {
  const stored = table.get(key);
  return meter.kind === 'sliding-window'
    ? new WindowInMemory(key, meter, now, stored as readonly Grain[] | undefined)
    : new BucketInMemory(key, meter, now, stored as BucketState | undefined);
}

abstract class KeyInMemory {
  protected readonly key: string;
  protected readonly now: number;

  constructor(key: string, now: number) {
    this.key = key;
    this.now = now;
  }

  protected abstract parts(): { readonly state: unknown; readonly bytes: number } | undefined;
  abstract reading(weight: number): MeterReading;

  write(table: ExpiringTable<unknown>): void {
    const parts = this.parts();
    if (parts === undefined) return void table.delete(this.key);
    // Gone in the millisecond in which nothing counts any more.
    table.set(this.key, parts.state, parts.bytes, this.now + this.reading(0).resetMs - 1);
  }

  undo(table: ExpiringTable<unknown>): () => void {
    const expiresAtMs = table.expiresAtMs(this.key);
    const before = this.parts();
    return () => {
      if (expiresAtMs === undefined || before === undefined) table.delete(this.key);
      else table.set(this.key, before.state, before.bytes, expiresAtMs);
    };
  }
}

class BucketInMemory extends KeyInMemory implements MemoryMeter {
  readonly #bucket: Bucket;
  #state: BucketState;

  constructor(key: string, bucket: Bucket, now: number, stored: BucketState | undefined) {
    super(key, now);
    this.#bucket = bucket;
    this.#state = drained(bucket, stored, now);
  }

  reading(weight: number): MeterReading {
    return readBucket(this.#bucket, this.#state, weight, this.now);
  }

  fits(weight: number): boolean {
    return this.#state.used + weight * this.#bucket.unit <= this.#bucket.capacity;
  }

  take(weight: number): void {
    const { used, sinceMs } = this.#state;
    this.#state = { used: used + weight * this.#bucket.unit, sinceMs };
  }

  giveBack(weight: number, atMs: number): boolean {
    const before = this.#state.used;
    this.#state = refundBucket(this.#bucket, this.#state, weight, atMs);
    return this.#state.used < before;
  }

  protected parts(): { readonly state: unknown; readonly bytes: number } | undefined {
    return this.#state.used > 0 ? { state: this.#state, bytes: stateBytes } : undefined;
  }
}

class WindowInMemory extends KeyInMemory implements MemoryMeter {
  readonly #window: SlidingWindow;
  #grains: readonly Grain[];

  constructor(key: string, window: SlidingWindow, now: number, stored: readonly Grain[] = []) {
    super(key, now);
    this.#window = window;
    this.#grains = counting(window, stored, now);
  }

  reading(weight: number): MeterReading {
    return readWindow(this.#window, this.#grains, weight, this.now);
  }

  fits(weight: number): boolean {
    return unitsOf(this.#grains) + weight <= this.#window.capacity;
  }

  take(weight: number): void {
    this.#grains = withHit(this.#window, this.#grains, weight, this.now);
  }

  giveBack(weight: number, atMs: number): boolean {
    const before = unitsOf(this.#grains);
    this.#grains = withoutHit(this.#window, this.#grains, weight, atMs);
    return unitsOf(this.#grains) < before;
  }

  protected parts(): { readonly state: unknown; readonly bytes: number } | undefined {
    return this.#grains.length > 0 ? { state: this.#grains, bytes: stateBytes * this.#grains.length } : undefined;
  }
}
