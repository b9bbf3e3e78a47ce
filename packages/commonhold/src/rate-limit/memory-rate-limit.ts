import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import type { Keys } from '../keys.js';
import { type MemoryMeter, meterIn } from './memory-meter.js';
import { type Meter, meterSuffix, type RateLimitPort, type Reading, subjectName } from './rate-limit-port.js';
import { forgetChannel } from './refusal-memory.js';

const blockBytes = 48;

/** One table of what is used, one of blocks. They make no room for others: a count that is evicted is a limit that is lifted. */
export class MemoryRateLimit implements RateLimitPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #channel: string;
  readonly #used: ExpiringTable<unknown>;
  /** When each block ends: the first millisecond that is free again. */
  readonly #blocks: ExpiringTable<number>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#channel = forgetChannel(keys);
    this.#used = store.table('rate-limit');
    this.#blocks = store.table('rate-limit-block');
  }

  async consume(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading> {
    const key = this.#key(limiter, subject);
    const found = this.#read(key, meters);
    const before = this.#reading(key, found, weight);
    if (!before.allowed) return before;
    this.#writeAll(found, (meter) => meter.take(weight));
    return this.#reading(key, found, 0);
  }

  async peek(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading> {
    const key = this.#key(limiter, subject);
    return this.#reading(key, this.#read(key, meters), weight);
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

  #key(limiter: string, subject: string): string {
    return this.#keys.tagged('rate-limit', limiter, subject);
  }

  #tell(limiter: string, subject: string): void {
    this.#store.bus.publish(this.#channel, subjectName(limiter, subject));
  }

  #read(key: string, meters: readonly Meter[]): MemoryMeter[] {
    const now = this.#store.now();
    return meters.map((meter) => meterIn(this.#used, key + meterSuffix(meter), meter, now));
  }

  #reading(key: string, found: readonly MemoryMeter[], weight: number): Reading {
    const atMs = this.#store.now();
    const blockedMs = Math.max(0, (this.#blocks.get(key) ?? 0) - atMs);
    const meters = found.map((meter) => meter.reading(weight));
    const allowed = blockedMs === 0 && meters.every(({ retryAfterMs }) => retryAfterMs === 0);
    return { allowed, atMs, blockedMs, meters };
  }

  // A full store refuses the hit as a whole.
  #writeAll(found: readonly MemoryMeter[], change: (meter: MemoryMeter) => void): void {
    const written: (() => void)[] = [];
    try {
      for (const meter of found) {
        const undo = meter.undo(this.#used);
        change(meter);
        meter.write(this.#used);
        written.push(undo);
      }
    } catch (error) {
      for (const undo of written) undo();
      throw error;
    }
  }
}
