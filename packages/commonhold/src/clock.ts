import { onAbort } from './abort.js';

/** What a pending timer can be told. */
export interface Timer {
  /** Stops the timer; stopping twice, or after it fired, does nothing. */
  cancel(): void;
}

/**
 * The only source of time in the library (K4). The wall clock dates things; the monotonic clock measures leases and
 * deadlines, because the wall clock may jump.
 */
export interface Clock {
  /** Milliseconds since 1970, UTC. May jump. */
  now(): number;
  /** Milliseconds from an arbitrary start. Never goes back. */
  monotonic(): number;
  /**
   * Calls `callback` once, after `delayMs` or a little later. Delays beyond 2^31-1 ms are honoured. Timers never keep
   * the process alive unless `keepAlive` is given.
   */
  setTimer(callback: () => void, delayMs: number, options?: { readonly keepAlive?: boolean }): Timer;
  /** Calls `callback` after input that has already arrived was handled. */
  afterPoll(callback: () => void): void;
}

/** The longest delay Node keeps in one timer; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout;

  constructor(callback: () => void, delayMs: number, keepAlive: boolean) {
    this.#handle = this.#arm(callback, delayMs, keepAlive);
  }

  #arm(callback: () => void, delayMs: number, keepAlive: boolean): NodeJS.Timeout {
    const rest = delayMs - longestTimerMs;
    const handle =
      rest > 0
        ? setTimeout(() => (this.#handle = this.#arm(callback, rest, keepAlive)), longestTimerMs)
        : setTimeout(callback, delayMs);
    return keepAlive ? handle : handle.unref();
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (callback, delayMs, options) => new SystemTimer(callback, delayMs, options?.keepAlive ?? false),
  afterPoll: (callback) => void setImmediate(callback),
};

/** Resolves after `delayMs`, or at once when `signal` aborts. Keeps the process alive only where asked. */
export function sleep(
  clock: Clock,
  delayMs: number,
  signal?: AbortSignal,
  options?: { readonly keepAlive?: boolean },
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      timer.cancel();
      stop();
      resolve();
    };
    const timer = clock.setTimer(finish, delayMs, options);
    const stop = onAbort(signal, finish);
  });
}
