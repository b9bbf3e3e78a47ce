import { pause } from '../../src/testing/waiting.js';
import type { NotingWorker, NotingWorkers } from './noting-workers.js';

/** Where a crew works. */
export interface CrewPlace {
  readonly workers: NotingWorkers;
  readonly url: string;
  readonly namespace: string;
  readonly size: number;
  readonly concurrency: number;
}

/** What a process sent before it was stopped has arrived after this. */
const arrivalMs = 50;

/** So many worker processes, each replaced when it dies. */
export class Crew {
  readonly #place: CrewPlace;
  readonly #working = new Set<NotingWorker>();
  #dying = false;
  /** When each died, in milliseconds since 1970, by its number. */
  readonly diedAtMs = new Map<number, number>();

  constructor(place: CrewPlace) {
    this.#place = place;
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#place.size }, () => this.#replace()));
  }

  /** Kills one with -9, once more than half of them work. Stopped before, it takes no job while `spares` looks at it. */
  async killOne(spares: (worker: number) => Promise<boolean>): Promise<void> {
    for (;;) {
      const victim = [...this.#working][Math.floor(Math.random() * this.#working.size)];
      if (victim !== undefined && this.#working.size * 2 > this.#place.size) {
        victim.child.kill('SIGSTOP');
        const stoppedAtMs = Date.now();
        await pause(arrivalMs);
        if (!(await spares(victim.number))) return this.#kill(victim, stoppedAtMs);
        victim.child.kill('SIGCONT');
      }
      await pause(10);
    }
  }

  /** Ends all. */
  end(): void {
    this.#dying = true;
    for (const { child } of this.#working) child.kill('SIGKILL');
  }

  #kill(victim: NotingWorker, stoppedAtMs: number): void {
    this.#working.delete(victim);
    this.diedAtMs.set(victim.number, stoppedAtMs);
    victim.child.kill('SIGKILL');
  }

  async #replace(): Promise<void> {
    const { workers, url, namespace, concurrency } = this.#place;
    const worker = await workers.start(url, namespace, concurrency);
    worker.child.once('exit', () => this.#died(worker));
    this.#working.add(worker);
  }

  #died(worker: NotingWorker): void {
    if (this.#dying) return;
    this.#working.delete(worker);
    if (!this.diedAtMs.has(worker.number)) this.diedAtMs.set(worker.number, Date.now());
    void this.#replace();
  }
}
