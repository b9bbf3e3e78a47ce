import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { MemoryOperations } from '../backend/memory/memory-operations.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import type { Keys } from '../keys.js';
import type { Operation } from '../operation-id.js';
import { type BucketState, drained, readBucket } from './bucket.js';
import { type MemoryMeter, meterIn, stateBytes } from './memory-meter.js';
import {
  type Bucket,
  consumeCall,
  hitName,
  type Meter,
  meterSuffix,
  type RateLimitPort,
  type Reading,
  subjectName,
} from './rate-limit-port.js';
import { forgetChannel } from './refusal-memory.js';

const blockBytes = 48;

/** A bucket that knows until when it is kept: within one window nothing but `used` changes. */
interface HeldBucket extends BucketState {
  used: number;
  readonly endsAtMs?: number;
}

/** One table of what is used, one of blocks. They make no room for others: a count that is evicted is a limit that is lifted. */
export class MemoryRateLimit implements RateLimitPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #channel: string;
  readonly #used: ExpiringTable<unknown>;
  /** When each block ends: the first millisecond that is free again. */
  readonly #blocks: ExpiringTable<number>;
  readonly #operations: MemoryOperations<Reading>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#channel = forgetChannel(keys);
    this.#used = store.table('rate-limit');
    this.#blocks = store.table('rate-limit-block');
    this.#operations = new MemoryOperations(store, 'rate-limit');
  }

  async consume(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading> {
    return this.#consume(this.#key(limiter, subject), meters, weight);
  }

  async consumeOnce(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    operation: Operation,
  ): Promise<Reading> {
    const key = this.#key(limiter, subject);
    const consume = (): Reading => this.#consume(key, meters, weight);
    const [what, where] = [hitName(meters, weight), consumeCall(limiter)];
    return this.#operations.once(key, operation, what, where, consume, ({ allowed }) => allowed);
  }

  async peek(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading> {
    const key = this.#key(limiter, subject);
    const found = this.#read(key, meters);
    const blockedMs = this.#blockedMs(key);
    return this.#reading(found, blockedMs === 0 && found.every((meter) => meter.fits(weight)), blockedMs, weight);
  }

  async refund(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    atMs: number,
  ): Promise<boolean> {
    const found = this.#read(this.#key(limiter, subject), meters).filter((meter) => meter.giveBack(weight, atMs));
    for (const meter of found) meter.write(this.#used);
    if (found.length > 0) this.#tell(limiter, subject);
    return found.length > 0;
  }

  async refundOnce(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    atMs: number,
    operationId: string,
  ): Promise<boolean> {
    const isKnown = this.#operations.forget(this.#key(limiter, subject), operationId);
    return isKnown && this.refund(limiter, subject, meters, weight, atMs);
  }

  async block(limiter: string, subject: string, durationMs: number): Promise<void> {
    const endsAtMs = this.#store.now() + durationMs;
    this.#blocks.set(this.#key(limiter, subject), endsAtMs, blockBytes, endsAtMs - 1);
    this.#tell(limiter, subject);
  }

  async reset(limiter: string, subject: string, meters: readonly Meter[]): Promise<boolean> {
    const key = this.#key(limiter, subject);
    const existed = [
      this.#blocks.delete(key),
      ...meters.map((meter) => this.#used.delete(key + meterSuffix(meter))),
    ].includes(true);
    if (existed) this.#tell(limiter, subject);
    return existed;
  }

  // What nearly every hit is: one bucket, and nobody is blocked. Measured, twice as fast as the way of all others.
  #consumeOne(key: string, bucket: Bucket, weight: number): Reading {
    const now = this.#store.now();
    const place = key + meterSuffix(bucket);
    const held = this.#used.get(place) as HeldBucket | undefined;
    const { used, sinceMs } = drained(bucket, held, now);
    const cost = weight * bucket.unit;
    const allowed = used + cost <= bucket.capacity;
    const state = { used: allowed ? used + cost : used, sinceMs };
    const reading = readBucket(bucket, state, allowed ? 0 : weight, now);
    if (allowed) {
      // Gone in the millisecond in which nothing counts any more.
      const endsAtMs = now + reading.resetMs - 1;
      if (held?.endsAtMs === endsAtMs && held.sinceMs === sinceMs) held.used = state.used;
      else this.#used.set(place, { ...state, endsAtMs }, stateBytes, endsAtMs);
    }
    return { allowed, atMs: now, blockedMs: 0, meters: [reading] };
  }

  #key(limiter: string, subject: string): string {
    return this.#keys.tagged('rate-limit', limiter, subject);
  }

  #consume(key: string, meters: readonly Meter[], weight: number): Reading {
    const [only] = meters;
    if (meters.length === 1 && only !== undefined && only.kind !== 'sliding-window' && this.#blocks.size === 0) {
      return this.#consumeOne(key, only, weight);
    }
    const found = this.#read(key, meters);
    const blockedMs = this.#blockedMs(key);
    const allowed = blockedMs === 0 && found.every((meter) => meter.fits(weight));
    if (allowed) this.#take(found, weight);
    return this.#reading(found, allowed, blockedMs, allowed ? 0 : weight);
  }

  #tell(limiter: string, subject: string): void {
    this.#store.bus.publish(this.#channel, subjectName(limiter, subject));
  }

  #read(key: string, meters: readonly Meter[]): MemoryMeter[] {
    const now = this.#store.now();
    return meters.map((meter) => meterIn(this.#used, key + meterSuffix(meter), meter, now));
  }

  #blockedMs(key: string): number {
    const endsAtMs = this.#blocks.get(key);
    return endsAtMs === undefined ? 0 : Math.max(0, endsAtMs - this.#store.now());
  }

  #reading(found: readonly MemoryMeter[], allowed: boolean, blockedMs: number, weight: number): Reading {
    const meters = found.map((meter) => meter.reading(weight));
    return { allowed, atMs: this.#store.now(), blockedMs, meters };
  }

  // A full store refuses the hit as a whole.
  #take(found: readonly MemoryMeter[], weight: number): void {
    const undo = found.length > 1 ? found.map((meter) => meter.undo(this.#used)) : [];
    try {
      for (const meter of found) {
        meter.take(weight);
        meter.write(this.#used);
      }
    } catch (error) {
      for (const putBack of undo) putBack();
      throw error;
    }
  }
}
