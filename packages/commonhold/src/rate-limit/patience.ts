import { onAbort } from '../abort.js';
import { type Clock, sleep } from '../clock.js';
import { ClosedError } from '../errors.js';
import type { RateLimitVerdict } from './verdict.js';

/** How long to wait for an admission. */
export interface PatienceLimits {
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One hit that waits. */
interface Waiting {
  readonly ask: () => Promise<RateLimitVerdict>;
  /** Monotonic. */
  readonly endsAtMs: number;
  readonly ended: AbortSignal;
}

/**
 * Waiting until a limit admits. One hit of a subject asks at a time and sleeps for as long as the store told it; the others
 * of this process stand behind it, in the order they came. Nothing is asked between.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Promise<unknown>>();
  readonly #waiting = new Set<AbortController>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The first admission that `ask` gets, or the last refusal when the next try would come too late. Rejects with the reason
   * of an abort, with `Closed` when the state closes, and as `ask` does.
   */
  async wait(
    subject: string,
    ask: () => Promise<RateLimitVerdict>,
    { waitMs, signal }: PatienceLimits,
  ): Promise<RateLimitVerdict> {
    if (this.#closed) throw new ClosedError('This state');
    signal?.throwIfAborted();
    const end = new AbortController();
    this.#waiting.add(end);
    const stop = onAbort(signal, () => end.abort(signal?.reason));
    try {
      return await this.#inLine(subject, { ask, endsAtMs: this.#clock.monotonic() + waitMs, ended: end.signal });
    } finally {
      stop();
      this.#waiting.delete(end);
    }
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#waiting) end.abort(new ClosedError('This state'));
  }

  async #inLine(subject: string, waiting: Waiting): Promise<RateLimitVerdict> {
    const before = this.#lines.get(subject);
    const turn = before === undefined ? this.#turn(waiting) : this.#after(before, waiting);
    // Who gives up leaves those before it in their place.
    const line = Promise.allSettled([before, turn]);
    this.#lines.set(subject, line);
    void line.then(() => {
      if (this.#lines.get(subject) === line) this.#lines.delete(subject);
    });
    return turn;
  }

  async #after(before: Promise<unknown>, waiting: Waiting): Promise<RateLimitVerdict> {
    const enough = new AbortController();
    const stop = onAbort(waiting.ended, () => enough.abort());
    await Promise.race([before, this.#sleep(waiting.endsAtMs - this.#clock.monotonic(), enough.signal)]);
    stop();
    enough.abort();
    return this.#turn(waiting);
  }

  async #turn({ ask, endsAtMs, ended }: Waiting): Promise<RateLimitVerdict> {
    for (;;) {
      ended.throwIfAborted();
      const verdict = await ask();
      if (verdict.allowed || verdict.retryAfterMs > endsAtMs - this.#clock.monotonic()) return verdict;
      await this.#sleep(verdict.retryAfterMs, ended);
    }
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return sleep(this.#clock, ms, signal, { keepAlive: true });
  }
}
