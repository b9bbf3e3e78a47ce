/** So long without one answer in time, with calls in flight, is too slow. */
const shortestAfterMs = 1_000;
/** What the gap between two looks counts for at most: what our own event loop lost is not the server's. */
const longestCountedMs = 30;

/**
 * Declares a connection too slow to be of use: it does answer, but nothing within the longest deadline, so that every call
 * waits for that in vain. Counts only time in which calls are in flight.
 */
export class SlowWatch {
  readonly #deadlineMs: number;
  readonly #afterMs: number;
  #countedMs = 0;
  #provenAtMs = 0;

  /** `deadlineMs` is the longest that a call may take. */
  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    this.#afterMs = Math.max(shortestAfterMs, 2 * deadlineMs);
  }

  /** The time as this watch counts it. */
  get countedMs(): number {
    return this.#countedMs;
  }

  /** Something was answered that was sent at `sentAtMs`, as `countedMs` was then. */
  answered(sentAtMs: number): void {
    if (this.#countedMs - sentAtMs <= this.#deadlineMs) this.#provenAtMs = this.#countedMs;
  }

  /** The connection is new. */
  restart(): void {
    this.#provenAtMs = this.#countedMs;
  }

  /** Whether the connection is too slow. @param elapsedMs since the last look. */
  look(elapsedMs: number, inFlight: number): boolean {
    if (inFlight > 0) this.#countedMs += Math.min(elapsedMs, longestCountedMs);
    return inFlight > 0 && this.#countedMs - this.#provenAtMs >= this.#afterMs;
  }
}
