import type { ClaimedJob, JobEnd } from './queue-port.js';

/** Why the signal of a running job aborted. */
export type AbortCause = 'lost' | 'lease' | 'closing';

/** Reason of the signal handed to a handler. */
export class JobAborted extends Error {
  override readonly name = 'JobAborted';
  /**
   * `lost`: it was cancelled or another worker has it. `lease`: the store was out of reach for so long that another
   * worker may have it. `closing`: this worker stops.
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

/** A job whose handler runs. */
export class RunningJob {
  readonly job: ClaimedJob;
  readonly #controller = new AbortController();

  constructor(job: ClaimedJob) {
    this.job = job;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why it was aborted, if it was. */
  get aborted(): AbortCause | undefined {
    const { reason } = this.#controller.signal as { reason: unknown };
    return reason instanceof JobAborted ? reason.why : undefined;
  }

  abort(why: AbortCause): void {
    this.#controller.abort(new JobAborted(why));
  }
}

/** What is handed in for a job that goes back to the front of the line. */
export function returned(job: ClaimedJob): JobEnd {
  return { id: job.id, attempt: job.attempt, kind: 'return', payload: '', delayMs: 0 };
}

const longestErrorText = 1_024;

/** What people read of an error later: its name and message, cut. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.slice(0, longestErrorText).toWellFormed();
}
