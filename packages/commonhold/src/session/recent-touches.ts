import type { Clock } from '../clock.js';

/** More sessions than this in one interval are touched more often than need be, which harms nothing. */
const mostRemembered = 50_000;

/** When this process last touched which session, so that a busy session costs a plain read most of the time. */
export class RecentTouches {
  readonly #clock: Clock;
  readonly #everyMs: number;
  /** Oldest first, because a touch moves its session to the end. */
  readonly #touchedAtMs = new Map<string, number>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Whether session `id` is due for a touch; from now on it is not. */
  begin(id: string): boolean {
    const touchedAtMs = this.#touchedAtMs.get(id);
    if (touchedAtMs !== undefined && this.#clock.monotonic() - touchedAtMs < this.#everyMs) return false;
    this.note(id);
    return true;
  }

  /** Session `id` was touched by another way. */
  note(id: string): void {
    this.#touchedAtMs.delete(id);
    this.#touchedAtMs.set(id, this.#clock.monotonic());
    this.#trim();
  }

  /** The touch did not happen, or the session is over. */
  forget(id: string): void {
    this.#touchedAtMs.delete(id);
  }

  #trim(): void {
    const staleAtMs = this.#clock.monotonic() - this.#everyMs;
    for (const [id, touchedAtMs] of this.#touchedAtMs) {
      if (touchedAtMs > staleAtMs && this.#touchedAtMs.size <= mostRemembered) return;
      this.#touchedAtMs.delete(id);
    }
  }
}
