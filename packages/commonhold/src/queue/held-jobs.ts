import type { Waiter } from '../backend/wakes.js';
import type { FeatureContext } from '../feature-context.js';
import { heldTopic, type QueueAddress, type QueuePort, type QueueWorker } from './queue-port.js';
import type { RunningJob } from './running-job.js';

export interface HeldJobsPlace {
  readonly address: QueueAddress;
  readonly port: QueuePort;
  readonly context: FeatureContext;
  readonly worker: QueueWorker;
}

const renewEveryMs = 1_250;
/** A handler is told to stop this long before its lease ends, by this process's clock. */
const marginMs = 500;

/**
 * The jobs a worker runs, and its hold on them: renews the lease while there are any, aborts those that were cancelled
 * or taken over, and all of them when the store was out of reach for almost the length of the lease.
 */
export class HeldJobs {
  readonly #place: HeldJobsPlace;
  readonly #running = new Map<string, RunningJob>();
  readonly #notes = new Map<RunningJob, number>();
  readonly #waiter: Waiter;
  readonly #stopped: Promise<void>;
  #closed = false;
  #confirmedAtMs: number;

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

  add(running: RunningJob): void {
    this.#running.set(running.job.id, running);
  }

  /** Removes a job that ended; false when it was taken away before. */
  take(running: RunningJob): boolean {
    return this.#running.get(running.job.id) === running && this.#running.delete(running.job.id);
  }

  takeAll(): RunningJob[] {
    const all = [...this.#running.values()];
    this.#running.clear();
    return all;
  }

  /** The store answered a call of this worker that was sent at `sentAtMs`, so the lease runs from then. */
  confirm(sentAtMs: number): void {
    this.#confirmedAtMs = Math.max(this.#confirmedAtMs, sentAtMs);
  }

  /** Sends a note of progress; one that comes while another is under way waits and replaces those before it. */
  progress(running: RunningJob, fraction: number): void {
    const underWay = this.#notes.has(running);
    this.#notes.set(running, Math.min(1, Math.max(0, Number.isNaN(fraction) ? 0 : fraction)));
    if (!underWay) void this.#sendNotes(running);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiter.close();
    await this.#stopped;
  }

  async #sendNotes(running: RunningJob): Promise<void> {
    const { port, address, worker } = this.#place;
    const { id, attempt } = running.job;
    let sent: number | undefined;
    while (this.#running.get(id) === running && sent !== this.#notes.get(running)) {
      sent = this.#notes.get(running) ?? 0;
      // A note that is lost is replaced by the next; the end of the job does not depend on it.
      await port.progress(address, worker, id, attempt, sent).catch(() => undefined);
    }
    this.#notes.delete(running);
  }

  async #keep(): Promise<void> {
    while (!this.#closed) {
      await this.#waiter.wait(renewEveryMs);
      if (this.#closed || this.#running.size === 0) continue;
      await this.#renew();
      this.#watchLease();
    }
  }

  async #renew(): Promise<void> {
    const { port, address, worker, context } = this.#place;
    const sentAtMs = context.clock.monotonic();
    const held = this.ids();
    try {
      const lost = await port.renew(address, worker, held);
      this.confirm(sentAtMs);
      for (const id of lost) this.#running.get(id)?.abort('lost');
    } catch {
      return; // The next renewal, or the end of the lease, follows.
    }
  }

  #watchLease(): void {
    const { clock } = this.#place.context;
    if (clock.monotonic() - this.#confirmedAtMs < this.#place.worker.leaseMs - marginMs) return;
    for (const running of this.#running.values()) running.abort('lease');
  }
}
