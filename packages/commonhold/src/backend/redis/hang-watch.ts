/** Calls in flight and no byte for this long is a hang (K3). */
const hangAfterMs = 500;
/** What the gap between two looks counts for at most. */
const longestCountedMs = 30;

/**
 * The second of K3's two clocks: declares a connection hung on which calls wait and nothing arrives.
 *
 * While our own event loop stands still, what arrives stays unread; it is read before the next look. So a long gap between
 * two looks counts for little, and complete evidence must stand for one more look.
 */
export class HangWatch {
  #progress = 0;
  #silentMs = 0;

  /**
   * Whether the connection hangs.
   * @param elapsedMs since the last look.
   * @param progress anything that changes when something arrives.
   */
  look(elapsedMs: number, inFlight: number, progress: number): boolean {
    const silent = inFlight > 0 && progress === this.#progress;
    const hangs = silent && this.#silentMs >= hangAfterMs;
    this.#silentMs = silent && !hangs ? this.#silentMs + Math.min(elapsedMs, longestCountedMs) : 0;
    this.#progress = progress;
    return hangs;
  }
}
