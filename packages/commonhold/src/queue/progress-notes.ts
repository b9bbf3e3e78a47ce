import type { HeldJobs } from './held-jobs.js';
import type { QueueAddress, QueuePort, QueueWorker } from './queue-port.js';
import type { RunningJob } from './running-job.js';

/** Where notes go, and whose jobs they are about. */
export interface NotesPlace {
  readonly address: QueueAddress;
  readonly port: QueuePort;
  readonly worker: QueueWorker;
  readonly held: HeldJobs;
}

/** Sends how far running jobs are: one note a job at a time, of those that wait only the last. */
export class ProgressNotes {
  readonly #place: NotesPlace;
  readonly #wanted = new Map<RunningJob, number>();
  readonly #noted = new WeakMap<RunningJob, number>();

  constructor(place: NotesPlace) {
    this.#place = place;
  }

  /** Notes a fraction, made to lie from 0 to 1; one that is not above the last is left out. */
  note(running: RunningJob, fraction: number): void {
    const progress = Math.min(1, Math.max(0, Number.isNaN(fraction) ? 0 : fraction));
    if (progress <= (this.#noted.get(running) ?? -1)) return;
    this.#noted.set(running, progress);
    const underWay = this.#wanted.has(running);
    this.#wanted.set(running, progress);
    if (!underWay) void this.#send(running);
  }

  async #send(running: RunningJob): Promise<void> {
    const { port, address, worker, held } = this.#place;
    const { id, attempt } = running.job;
    let sent: number | undefined;
    while (held.has(running) && sent !== this.#wanted.get(running)) {
      sent = this.#wanted.get(running) ?? 0;
      // A note that is lost is replaced by the next; the end of the job does not depend on it.
      await port.progress(address, worker, id, attempt, sent).catch(() => undefined);
    }
    this.#wanted.delete(running);
  }
}
