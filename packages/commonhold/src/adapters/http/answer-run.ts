import { sleep, systemClock } from '../../clock.js';
import { isCommonholdError } from '../../errors.js';
import type { OpenRun } from '../../run-once/open-run.js';
import { answerToStore, type StoredAnswer } from './stored-answer.js';

/** What a handler may know of the run that its request is. */
export interface IdempotentRun {
  /** As the client sent it. */
  readonly key: string;
  /** 1 for the first; more after one that was not kept, or whose process died: what it did may be there. */
  readonly attempt: number;
  /** Aborts when another process may take over, and when the state closes. */
  readonly signal: AbortSignal;
}

/** What of an answer is kept. */
export interface Keeping {
  /** Whether answers of a status are kept at all. */
  readonly keep: (status: number) => boolean;
  /** Of headers, in lower case. */
  readonly names: readonly string[];
}

/** How long an answer waits for a store that is away before it is sent; keeping it goes on. */
const patienceMs = 1_000;

/** A request that runs, until its answer is handed in. */
export class AnswerRun implements IdempotentRun {
  readonly key: string;
  readonly #run: OpenRun<StoredAnswer>;
  readonly #keeping: Keeping;

  constructor(key: string, run: OpenRun<StoredAnswer>, keeping: Keeping) {
    this.key = key;
    this.#run = run;
    this.#keeping = keeping;
  }

  get attempt(): number {
    return this.#run.attempt;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  /** Ends the run without an answer: the next request runs. */
  abandon(): Promise<void> {
    return this.#run.abandon();
  }

  /**
   * Keeps an answer, or frees the key where such answers are not kept; without `body` it keeps that there was one. Resolves
   * to another answer where that of a process that had taken over stands.
   */
  async settle(
    status: number,
    headerOf: (name: string) => number | string | readonly string[] | undefined,
    body: Buffer | undefined,
  ): Promise<StoredAnswer | undefined> {
    if (!this.#keeping.keep(status)) {
      await this.#run.abandon();
      return undefined;
    }
    const answer = answerToStore(status, this.#keeping.names, headerOf, body);
    const enough = new AbortController();
    const standing = this.#finish(answer);
    const waited = sleep(systemClock, patienceMs, enough.signal).then(() => answer);
    const first = await Promise.race([standing, waited]);
    enough.abort();
    return first === answer || first.omitted === true ? undefined : first;
  }

  // What could not be kept is sent all the same: it is what happened.
  async #finish(answer: StoredAnswer): Promise<StoredAnswer> {
    try {
      return await this.#run.finish(answer);
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      if (error.code !== 'ValueTooLarge' || answer.omitted === true) return answer;
      await this.#finish({ ...answer, body: '', omitted: true });
      return answer;
    }
  }
}
