import type { Clock, Timer } from '../clock.js';
import type { ClaimedJob } from './queue-port.js';

/** Jobs taken ahead wait this long at most while none of them is started: behind a slow job they go to others. */
const patienceMs = 100;

/** Jobs that a worker took and has not started, first in, first out. */
export class JobsAhead {
  readonly #clock: Clock;
  readonly #onStale: (jobs: ClaimedJob[]) => void;
  #jobs: ClaimedJob[] = [];
  #touchedAtMs = 0;
  #timer: Timer | undefined;

  /** `onStale` gets all jobs when none was started for 100 ms. */
  constructor(clock: Clock, onStale: (jobs: ClaimedJob[]) => void) {
    this.#clock = clock;
    this.#onStale = onStale;
  }

  get size(): number {
    return this.#jobs.length;
  }

  ids(): string[] {
    return this.#jobs.map((job) => job.id);
  }

  push(jobs: readonly ClaimedJob[]): void {
    this.#jobs.push(...jobs);
  }

  shift(): ClaimedJob | undefined {
    return this.#jobs.shift();
  }

  takeAll(): ClaimedJob[] {
    this.#timer?.cancel();
    this.#timer = undefined;
    const all = this.#jobs;
    this.#jobs = [];
    return all;
  }

  /** Says that as many were started as there was room for: from now on the others wait. */
  settle(): void {
    this.#touchedAtMs = this.#clock.monotonic();
    if (this.#jobs.length > 0) this.#timer ??= this.#clock.setTimer(() => this.#look(), patienceMs);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#jobs.length === 0) return;
    const restMs = this.#touchedAtMs + patienceMs - this.#clock.monotonic();
    if (restMs > 0) this.#timer = this.#clock.setTimer(() => this.#look(), restMs);
    else this.#onStale(this.takeAll());
  }
}
