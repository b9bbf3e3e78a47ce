import type { Waiter } from '../backend/wakes.js';
import type { Timer } from '../clock.js';
import type { FeatureContext } from '../feature-context.js';
import { heldTopic, type QueueAddress, type QueuePort, type QueueWorker } from './queue-port.js';
import type { RunningJob } from './running-job.js';

/** Whose jobs they are, and where. */
export interface HeldJobsPlace {
  readonly address: QueueAddress;
  readonly port: QueuePort;
  readonly context: FeatureContext;
  readonly worker: QueueWorker;
}

/** A handler is told to stop this long before its lease ends, by this process's clock. */
const marginMs = 500;

/**
 * The jobs a worker runs, and its hold on them. While there are any, the lease is renewed at least every second; a
 * renewal tells which of them were cancelled or taken over, and those are aborted. All are aborted when the store was out
 * of reach for almost the length of the lease.
 */
export class HeldJobs {
  readonly #place: HeldJobsPlace;
  readonly #running = new Map<string, RunningJob>();
  readonly #waiter: Waiter;
  readonly #stopped: Promise<void>;
  #closed = false;
  #confirmedAtMs: number;
  #watch: Timer | undefined;

  constructor(place: HeldJobsPlace) {
    this.#place = place;
    this.#confirmedAtMs = place.context.clock.monotonic();
    this.#waiter = place.context.wakes.listen(heldTopic(place.address));
    this.#stopped = this.#keep();
  }

  get size(): number {
    return this.#running.size;
  }

  ids(): string[] {
    return [...this.#running.keys()];
  }

  has(running: RunningJob): boolean {
    return this.#running.get(running.job.id) === running;
  }

  add(running: RunningJob): void {
    this.#running.set(running.job.id, running);
    this.#watch ??= this.#armWatch();
  }

  /** Removes a job that ended; false when it was taken away before. */
  take(running: RunningJob): boolean {
    return this.has(running) && this.#running.delete(running.job.id);
  }

  /** Removes all. */
  takeAll(): RunningJob[] {
    const all = [...this.#running.values()];
    this.#running.clear();
    return all;
  }

  /** The store answered a call of this worker that was sent at `sentAtMs`, so the lease runs from then. */
  confirm(sentAtMs: number): void {
    this.#confirmedAtMs = Math.max(this.#confirmedAtMs, sentAtMs);
  }

  /** Whether no other worker can have the jobs of this one at `nowMs`, by the monotonic clock. */
  isSure(nowMs: number): boolean {
    return nowMs - this.#confirmedAtMs < this.#place.worker.leaseMs - marginMs;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiter.close();
    this.#watch?.cancel();
    await this.#stopped;
  }

  async #keep(): Promise<void> {
    while (!this.#closed) {
      await this.#waiter.wait();
      if (!this.#closed && this.#running.size > 0) await this.#renew();
    }
  }

  async #renew(): Promise<void> {
    const { port, address, worker, context } = this.#place;
    const sentAtMs = context.clock.monotonic();
    try {
      const lost = await port.renew(address, worker, this.ids());
      this.confirm(sentAtMs);
      for (const id of lost) this.#running.get(id)?.abort('lost');
    } catch {
      return; // The next renewal, or the end of the lease, follows.
    }
  }

  #armWatch(): Timer {
    const { clock } = this.#place.context;
    const endsAtMs = this.#confirmedAtMs + this.#place.worker.leaseMs - marginMs;
    return clock.setTimer(() => this.#watchLease(), Math.max(0, endsAtMs - clock.monotonic()));
  }

  #watchLease(): void {
    const { context } = this.#place;
    this.#watch = undefined;
    if (!this.isSure(context.clock.monotonic())) {
      for (const running of this.#running.values()) running.abort('lease');
    } else if (this.#running.size > 0) this.#watch = this.#armWatch();
  }
}
