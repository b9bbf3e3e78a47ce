import { OverloadedError } from '../../errors.js';

/** The bound on what one store holds. Caches make room; everything else is refused when there is none. */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #evictOne: () => boolean;
  #used = 0;

  /** `evictOne` drops one entry of a cache, and says whether there was one. */
  constructor(maxBytes: number, evictOne: () => boolean) {
    this.#maxBytes = maxBytes;
    this.#evictOne = evictOne;
  }

  /** Estimated bytes in use. */
  get usedBytes(): number {
    return this.#used;
  }

  /** @throws OverloadedError when `bytes` more do not fit, even with every cache emptied. */
  take(bytes: number): void {
    while (bytes > 0 && this.#used + bytes > this.#maxBytes && this.#evictOne());
    if (bytes > 0 && this.#used + bytes > this.#maxBytes) {
      throw new OverloadedError('The memory store', `${this.#maxBytes} bytes (maxBytes)`);
    }
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
