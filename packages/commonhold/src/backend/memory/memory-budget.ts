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
    // Evicting cannot make room for what is larger than everything.
    while (bytes <= this.#maxBytes && this.#lacks(bytes) && this.#evictOne());
    if (this.#lacks(bytes)) throw new OverloadedError('The memory store', `${this.#maxBytes} bytes (maxBytes)`);
    this.#used += bytes;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#used -= bytes;
  }

  #lacks(bytes: number): boolean {
    return bytes > 0 && this.#used + bytes > this.#maxBytes;
  }
}
