/** Too many callers wait already. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** Lets a few pieces of work run at a time; a bounded number of others wait in the order they came. */
export class ConcurrencyLimit {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Both at least 1. */
  constructor(atOnce: number, mostWaiting: number) {
    this.#atOnce = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /**
   * Runs `work` when its turn comes.
   *
   * @throws {BusyError} At once, when too many wait already.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      // A slot goes to the next in line without becoming free in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #enter(): Promise<void> | undefined {
    if (this.#running < this.#atOnce) {
      this.#running++;
      return undefined;
    }
    if (this.#waiting.length >= this.#mostWaiting) throw new BusyError('Too many requests of this kind at once.');
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}
