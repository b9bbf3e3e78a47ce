import { sleep } from '../clock.js';
import { isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { Owner } from '../owner.js';
import type { Guard } from '../guard.js';
import {
  type AddedJob,
  mostUnanswered,
  type NewJob,
  type QueueAddress,
  type QueuePort,
  workerId,
} from './queue-port.js';

/** Jobs of one step: enough to amortise it, few enough not to hold up others. */
const mostJobs = 500;
const mostBytes = 1024 * 1024;
/** A batch without an answer is sent again while the caller would still wait for the first one. */
const sendAgainMs = 250;
const betweenMs = 20;

interface Waiting {
  readonly job: NewJob;
  readonly guard: Guard | undefined;
  resolve(added: AddedJob): void;
  reject(error: unknown): void;
}

const known = new WeakMap<QueuePort, Map<string, AddBatch>>();
/** By owner: no two batches of one may have one name, whatever port they go to. */
const batchesMade = new WeakMap<Owner, number>();

/** Joins the jobs added in one turn of the event loop, in order, into few steps, and makes each step happen once. */
export class AddBatch {
  readonly #port: QueuePort;
  readonly #queue: QueueAddress;
  readonly #context: Pick<FeatureContext, 'clock' | 'owner'>;
  readonly #adder: string;
  readonly #durable: boolean;
  #waiting: Waiting[] = [];
  #number = 0;
  #unanswered = 0;

  /**
   * The one for this queue in this process, or for its durable jobs: numbers are drawn, and remembered by the store, for
   * each.
   */
  static of(
    port: QueuePort,
    queue: QueueAddress,
    context: Pick<FeatureContext, 'clock' | 'owner'>,
    durable: boolean = false,
  ): AddBatch {
    const batches = known.get(port) ?? new Map<string, AddBatch>();
    known.set(port, batches);
    const name = JSON.stringify([queue, durable]);
    const batch = batches.get(name) ?? new AddBatch(port, queue, context, nextName(context.owner), durable);
    batches.set(name, batch);
    return batch;
  }

  private constructor(
    port: QueuePort,
    queue: QueueAddress,
    context: Pick<FeatureContext, 'clock' | 'owner'>,
    name: string,
    durable: boolean,
  ) {
    this.#port = port;
    this.#queue = queue;
    this.#context = context;
    this.#adder = workerId(context.owner.id, name);
    this.#durable = durable;
  }

  /** This one, or that of the queue's jobs with the other `durable`. */
  with(durable: boolean = false): AddBatch {
    return durable === this.#durable ? this : AddBatch.of(this.#port, this.#queue, this.#context, durable);
  }

  add(job: NewJob, guard?: Guard): Promise<AddedJob> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
      this.#waiting.push({ job, guard, resolve, reject });
    });
  }

  #flush(): void {
    let start = 0;
    while (start < this.#waiting.length && this.#unanswered < mostUnanswered) {
      const end = endOfStep(this.#waiting, start);
      void this.#send(this.#waiting.slice(start, end));
      start = end;
    }
    this.#waiting = this.#waiting.slice(start);
  }

  async #send(step: readonly Waiting[]): Promise<void> {
    this.#unanswered++;
    try {
      const added = await this.#addOnce(
        step.map(({ job }) => job),
        step[0]?.guard,
      );
      for (const [index, waiting] of step.entries()) waiting.resolve(added[index] as AddedJob);
    } catch (error) {
      for (const waiting of step) waiting.reject(error);
    }
    this.#unanswered--;
    this.#flush();
  }

  async #addOnce(jobs: readonly NewJob[], guard: Guard | undefined): Promise<readonly AddedJob[]> {
    const { clock } = this.#context;
    const batch = { adder: this.#adder, number: ++this.#number, jobs, durable: this.#durable, guard, spoolable: true };
    const sendUntilMs = clock.monotonic() + sendAgainMs;
    let lost: unknown;
    for (;;) {
      try {
        return await this.#port.add(this.#queue, batch);
      } catch (error) {
        if (codeOf(error) === 'OutcomeUnknown') lost ??= error;
        // Until the first copy is known not to have run, no later refusal says that nothing was added.
        if (lost === undefined || !mayPass(error) || clock.monotonic() >= sendUntilMs) throw lost ?? error;
        await sleep(clock, betweenMs);
      }
    }
  }
}

function mayPass(error: unknown): boolean {
  return codeOf(error) === 'OutcomeUnknown' || codeOf(error) === 'Unavailable';
}

function codeOf(error: unknown): string | undefined {
  return isCommonholdError(error) ? error.code : undefined;
}

// Jobs of one step have one guard, or none.
function endOfStep(waiting: readonly Waiting[], start: number): number {
  const guard = waiting[start]?.guard;
  let bytes = 0;
  let end = start;
  do bytes += waiting[end++]?.job.data.length ?? 0;
  while (
    end < waiting.length &&
    end - start < mostJobs &&
    bytes < mostBytes &&
    isSameGuard(waiting[end]?.guard, guard)
  );
  return end;
}

function isSameGuard(one: Guard | undefined, other: Guard | undefined): boolean {
  return one === other || (one?.lock === other?.lock && one?.token === other?.token);
}

function nextName(owner: Owner): string {
  const made = batchesMade.get(owner) ?? 0;
  batchesMade.set(owner, made + 1);
  return String(made);
}
