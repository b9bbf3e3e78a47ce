import { inspect } from 'node:util';
import type { ClaimedJob, JobEnd } from './queue-port.js';

/** Why the signal of a running job aborted. */
export type AbortCause = 'lost' | 'lease' | 'closing' | 'timeout' | 'deadline';

/** Reason of the signal handed to a handler. */
export class JobAborted extends Error {
  override readonly name = 'JobAborted';
  /**
   * `lost`: it was cancelled or another worker has it. `lease`: the store was out of reach for so long that another
   * worker may have it. `closing`: this worker stops. `timeout`: this attempt took too long. `deadline`: the job's time is
   * over.
   */
  readonly why: AbortCause;

  constructor(why: AbortCause) {
    super(`The job was aborted: ${why}`);
    this.why = why;
  }
}

/** Thrown by a handler for a job that must not be tried again: it fails at once. */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError';
}

/** Lines on their way into a job's log. */
export interface UnsentLog {
  lines: string[];
  /** Resolves when the store has them, or will not. */
  readonly sent: Promise<void>;
}

/** A job whose handler runs. */
export class RunningJob {
  readonly job: ClaimedJob;
  /** Why it was aborted, if it was. */
  aborted: AbortCause | undefined;
  /** What it wrote to its log and was not stored yet. */
  log: UnsentLog | undefined;
  /** Made when a handler asks for its signal, which many never do. */
  #controller: AbortController | undefined;

  constructor(job: ClaimedJob) {
    this.job = job;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted !== undefined) this.#controller.abort(new JobAborted(this.aborted));
    }
    return this.#controller.signal;
  }

  /** Only the first cause counts. */
  abort(why: AbortCause): void {
    if (this.aborted !== undefined) return;
    this.aborted = why;
    this.#controller?.abort(new JobAborted(why));
  }
}

/** What is handed in for a job that was not run to its end: it goes back with no attempt charged. */
export function returned({ id, attempt }: ClaimedJob, delayMs: number = 0): JobEnd {
  return { id, attempt, kind: 'return', payload: '', delayMs };
}

/** What is handed in for several of them, so that they stand in line as they did. */
export function allReturned(jobs: readonly ClaimedJob[]): JobEnd[] {
  return jobs.toReversed().map((job) => returned(job));
}

const longestErrorText = 1_024;

/** What people read later of what a handler threw: name and message of an error, cut. Never throws. */
export function errorText(error: unknown): string {
  let text: string;
  try {
    text = error instanceof Error ? `${error.name}: ${error.message}` : show(error);
  } catch {
    text = 'An error that cannot be shown';
  }
  return text.slice(0, longestErrorText).toWellFormed();
}

function show(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 1, breakLength: Infinity });
}
