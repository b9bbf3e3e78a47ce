const everyMs = 4;
// A timer of 4 ms comes up to this much later on a machine that is idle.
const usualMs = 3;

/** Measures for how long the event loop did not turn, so that a busy machine is not taken for a slow library. */
export class StallMeter {
  readonly #timer: NodeJS.Timeout;
  #lastAtMs = performance.now();
  #stalledMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), everyMs);
  }

  /** Milliseconds for which it stood still since the start. */
  get stalledMs(): number {
    return this.#stalledMs + this.#late();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#stalledMs += this.#late();
    this.#lastAtMs = performance.now();
  }

  #late(): number {
    return Math.max(0, performance.now() - this.#lastAtMs - everyMs - usualMs);
  }
}
