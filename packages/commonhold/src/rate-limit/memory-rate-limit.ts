import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import type { Keys } from '../keys.js';
import {
  type FixedWindow,
  fixedWindowVerdict,
  type RateLimitPort,
  type RateLimitVerdict,
  ruleSuffix,
} from './rate-limit-port.js';

interface OpenWindow {
  used: number;
  /** The first millisecond of the next window. */
  readonly endsAtMs: number;
}

const windowBytes = 48;

/** One table of open windows. They make no room for others: a count that is evicted is a limit that is lifted. */
export class MemoryRateLimit implements RateLimitPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #windows: ExpiringTable<OpenWindow>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#windows = store.table('rate-limit');
  }

  async consume(limiter: string, subject: string, rule: FixedWindow, weight: number): Promise<RateLimitVerdict> {
    const key = this.#key(limiter, subject, rule);
    const open = this.#windows.get(key);
    const now = this.#store.now();
    if (open === undefined) {
      const endsAtMs = now + rule.windowMs;
      this.#windows.set(key, { used: weight, endsAtMs }, windowBytes, endsAtMs - 1);
      return fixedWindowVerdict(rule, true, weight, rule.windowMs);
    }
    const allowed = open.used + weight <= rule.limit;
    if (allowed) open.used += weight;
    return fixedWindowVerdict(rule, allowed, open.used, open.endsAtMs - now);
  }

  async peek(limiter: string, subject: string, rule: FixedWindow): Promise<RateLimitVerdict> {
    const open = this.#windows.get(this.#key(limiter, subject, rule));
    if (open === undefined) return fixedWindowVerdict(rule, true, 0, 0);
    return fixedWindowVerdict(rule, open.used < rule.limit, open.used, open.endsAtMs - this.#store.now());
  }

  async reset(limiter: string, subject: string, rule: FixedWindow): Promise<boolean> {
    return this.#windows.delete(this.#key(limiter, subject, rule));
  }

  #key(limiter: string, subject: string, rule: FixedWindow): string {
    return this.#keys.tagged('rate-limit', limiter, subject) + ruleSuffix(rule);
  }
}
