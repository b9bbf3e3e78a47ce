import type { Clock, Timer } from '../../clock.js';
import type { WireCall } from './wire-call.js';

const retryEveryMs = 10;
const mostParked = 10_000;

/** Calls that no node can run at the moment, tried again every 10 ms until their deadline. */
export class ParkedCalls {
  readonly #clock: Clock;
  readonly #retry: (call: WireCall) => void;
  #calls: WireCall[] = [];
  #timer: Timer | undefined;

  /** `retry` sends a call, or adds it once more. */
  constructor(clock: Clock, retry: (call: WireCall) => void) {
    this.#clock = clock;
    this.#retry = retry;
  }

  /** False when too many wait already. */
  add(call: WireCall): boolean {
    if (this.#calls.length >= mostParked) return false;
    this.#calls.push(call);
    this.#timer ??= this.#clock.setTimer(() => this.#retryAll(), retryEveryMs);
    return true;
  }

  /** Stops, and returns what still waited. */
  close(): readonly WireCall[] {
    this.#timer?.cancel();
    return this.#calls.splice(0);
  }

  #retryAll(): void {
    this.#timer = undefined;
    for (const call of this.#calls.splice(0)) if (!call.settled) this.#retry(call);
  }
}
