/** Calls in flight and no byte for this long is a hang (K3), unless calls may take longer. */
export const hangAfterMs: number = 500;
/** What the gap between two looks counts for at most. */
const longestCountedMs = 30;

/**
 * The second of K3's two clocks: declares a connection hung on which calls wait and nothing arrives.
 *
 * While our own event loop stands still, what arrives stays unread; it is read before the next look. So a long gap between
 * two looks counts for little, and complete evidence must stand for one more look.
 */
export class HangWatch {
  readonly #afterMs: number;
  #progress = 0;
  #silentMs = 0;

  /** `afterMs` is the silence that proves a hang. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /**
   * Whether the connection hangs.
   * @param elapsedMs since the last look.
   * @param progress anything that changes when something arrives.
   */
  look(elapsedMs: number, inFlight: number, progress: number): boolean {
    const silent = inFlight > 0 && progress === this.#progress;
    const hangs = silent && this.#silentMs >= this.#afterMs;
    this.#silentMs = silent && !hangs ? this.#silentMs + Math.min(elapsedMs, longestCountedMs) : 0;
    this.#progress = progress;
    return hangs;
  }
}
