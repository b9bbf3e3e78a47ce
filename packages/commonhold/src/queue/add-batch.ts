import type { AddedJob, NewJob, QueueAddress, QueuePort } from './queue-port.js';

/** Jobs of one step: enough to amortise it, few enough not to hold up others. */
const mostJobs = 500;
const mostBytes = 1024 * 1024;

interface Waiting {
  readonly job: NewJob;
  resolve(added: AddedJob): void;
  reject(error: unknown): void;
}

/** Joins the jobs added in one turn of the event loop, in order, into few steps. */
export class AddBatch {
  readonly #port: QueuePort;
  readonly #queue: QueueAddress;
  #waiting: Waiting[] = [];

  constructor(port: QueuePort, queue: QueueAddress) {
    this.#port = port;
    this.#queue = queue;
  }

  add(job: NewJob): Promise<AddedJob> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
      this.#waiting.push({ job, resolve, reject });
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < waiting.length; ) {
      const end = endOfStep(waiting, start);
      void this.#send(waiting.slice(start, end));
      start = end;
    }
  }

  async #send(step: readonly Waiting[]): Promise<void> {
    try {
      const added = await this.#port.add(
        this.#queue,
        step.map(({ job }) => job),
      );
      for (const [index, waiting] of step.entries()) waiting.resolve(added[index] as AddedJob);
    } catch (error) {
      for (const waiting of step) waiting.reject(error);
    }
  }
}

function endOfStep(waiting: readonly Waiting[], start: number): number {
  let bytes = 0;
  let end = start;
  do bytes += waiting[end++]?.job.data.length ?? 0;
  while (end < waiting.length && end - start < mostJobs && bytes < mostBytes);
  return end;
}
