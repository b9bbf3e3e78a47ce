import type { Clock, Timer } from '../../clock.js';
import type { WireCall } from './wire-call.js';

const lookEveryMs = 10;
/** The longest pause between two tries: thousands of calls that wait for a cluster must not keep it busy. */
const longestPauseMs = 80;
const mostParked = 10_000;

interface ParkedCall {
  readonly call: WireCall;
  readonly dueAtMs: number;
}

/** Calls that no node can run at the moment, tried again after 10, 20, 40 and then every 80 ms until their deadline. */
export class ParkedCalls {
  readonly #clock: Clock;
  readonly #retry: (call: WireCall) => void;
  #calls: ParkedCall[] = [];
  #timer: Timer | undefined;

  /** `retry` sends a call, or adds it once more. */
  constructor(clock: Clock, retry: (call: WireCall) => void) {
    this.#clock = clock;
    this.#retry = retry;
  }

  /** Whether none waits. */
  get empty(): boolean {
    return this.#calls.length === 0;
  }

  /** False when too many wait already. */
  add(call: WireCall): boolean {
    if (this.#calls.length >= mostParked) return false;
    const pauseMs = Math.min(longestPauseMs, lookEveryMs * 2 ** (call.tries - 1));
    this.#calls.push({ call, dueAtMs: this.#clock.monotonic() + pauseMs });
    this.#arm();
    return true;
  }

  /** Stops, and returns what still waited. */
  close(): readonly WireCall[] {
    this.#timer?.cancel();
    return this.#calls.splice(0).map(({ call }) => call);
  }

  #arm(): void {
    this.#timer ??= this.#clock.setTimer(() => this.#retryDue(), lookEveryMs);
  }

  #retryDue(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    for (const parked of this.#calls.splice(0)) {
      if (parked.call.settled) continue;
      if (parked.dueAtMs > nowMs) this.#calls.push(parked);
      else this.#retry(parked.call);
    }
    if (!this.empty) this.#arm();
  }
}
