import { sleep } from '../clock.js';
import { ClosedError } from '../errors.js';
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

  /** Tells the work to stop, and stands no more. Leadership ends with the work. */
  resign(): void {
    this.#closing.abort(new ClosedError('This candidacy'));
  }

  /** Resigns and waits for the work, for 5 s at most; work that goes on keeps the leadership until it ends. */
  async close(): Promise<void> {
    this.resign();
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
        if (signal.aborted) return;
        const { leader, context } = this.#place;
        context.log.warn({ leader, error: String(error) }, 'leadership ended, or could not begin');
        await sleep(context.clock, againMs, signal);
      }
    }
  }
}
