import type { Random } from '../random.js';
import type { CacheRules } from './cache-options.js';

/** How long entries are kept: their lifetime, made shorter at random, and the time for which they may be stale. */
export class CacheLifetimes {
  readonly #rules: CacheRules;
  readonly #random: Random;

  constructor(rules: CacheRules, random: Random) {
    this.#rules = rules;
    this.#random = random;
  }

  /** Milliseconds for a value that lives `ttlMs`; undefined without end. */
  of(ttlMs: number | undefined): number | undefined {
    if (ttlMs === undefined) return undefined;
    const { jitter, staleMs } = this.#rules;
    const livesMs = jitter === 0 ? ttlMs : Math.max(1, Math.ceil(ttlMs * (1 - jitter * this.#random.number())));
    return livesMs + staleMs;
  }
}
