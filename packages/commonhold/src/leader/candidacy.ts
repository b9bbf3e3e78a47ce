import { sleep } from '../clock.js';
import { ClosedError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { withinGrace } from '../grace.js';

const againMs = 1_000;

/** What a candidacy is made of. */
export interface CandidacyPlace {
  /** The leader's name, for the log. */
  readonly leader: string;
  readonly context: FeatureContext;
  /** Waits to be elected and leads, until `signal` aborts or leadership is lost. */
  readonly campaign: (signal: AbortSignal) => Promise<void>;
  readonly onClosed: () => void;
}

/** A process that stands for election, again and again, until it is closed. */
export class Candidacy implements AsyncDisposable {
  readonly #place: CandidacyPlace;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;

  /** Use `leader.lead`. */
  constructor(place: CandidacyPlace) {
    this.#place = place;
    this.#ended = this.#run();
  }

  /** Resigns, tells the work to stop and waits for it, for 5 s at most; its leadership then ends with its lease. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError('This candidacy'));
    await withinGrace(this.#place.context.clock, this.#ended);
    this.#place.onClosed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#place.campaign(signal);
      } catch (error) {
        if (signal.aborted || isClosed(error)) return;
        const { leader, context } = this.#place;
        context.log.warn({ leader, error: String(error) }, 'leadership ended, or could not begin');
        await sleep(context.clock, againMs, signal);
      }
    }
  }
}

function isClosed(error: unknown): boolean {
  return isCommonholdError(error) && error.code === 'Closed';
}
