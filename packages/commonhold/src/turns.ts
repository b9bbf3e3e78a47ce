import type { Waiter } from './backend/wakes.js';
import { ClosedError, isCommonholdError, UnavailableError } from './errors.js';
import type { FeatureContext } from './feature-context.js';
import { reliableMs } from './lease-keeper.js';
import type { TurnToCome } from './line-member.js';

/** What somebody waits for: an answer of the store, which makes something here. */
export interface Turn<Answer, Made> {
  /** The operation, for errors. */
  readonly operation: string;
  /** The topic on which it is woken, and nobody else. */
  readonly topic: string;
  /** How long what the answer gives lasts, unless it is renewed. */
  readonly leaseMs: number;
  /** Asks, standing in the line for the next `waitMs`, or not with 0. Asking again after a lost answer does no harm. */
  look(waitMs: number): Promise<Answer | TurnToCome>;
  /** Takes what was asked for at `sentAtMs`, monotonic, in the same turn of the event loop, so that closing sees it. */
  begin(answer: Answer, sentAtMs: number): Made;
  /** Gives up the place in the line, or what a lost answer gave. */
  leave(): Promise<unknown>;
}

/** How long to wait at most. */
export interface TurnLimits {
  /** Milliseconds; 0 asks once, undefined waits without end. */
  readonly waitMs: number | undefined;
  /** Ends the waiting; `take` then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** One that waits looks about every second, and counts as dead when it has not for so long. */
const aliveMs = 3_000;

/** Waits for turns: woken by whoever ends one, with K5's timer for a lost message, and never by a loop. */
export class Turns {
  readonly #context: FeatureContext;
  readonly #waiting = new Map<Waiter, Promise<unknown>>();
  #closed = false;

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  /**
   * What `turn` made of the answer when the turn has come, or undefined when it did not within `limits.waitMs`.
   *
   * Rejects as soon as the store cannot be reached, with `Unavailable`, since nothing was begun: what a lost answer may
   * have given is given back, at the latest by the end of its lease. Rejects with `Closed` when the state closes.
   */
  async take<Answer, Made>(turn: Turn<Answer, Made>, limits: TurnLimits): Promise<Made | undefined> {
    this.#check(limits.signal);
    const waiter = this.#context.wakes.listen(turn.topic);
    const taken = this.#take(turn, limits, waiter).finally(() => {
      this.#waiting.delete(waiter);
      waiter.close();
    });
    this.#waiting.set(waiter, taken);
    return taken;
  }

  /** Lets everybody go who waits; resolves when they have. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiting.keys()) waiter.wake();
    await Promise.allSettled(this.#waiting.values());
  }

  async #take<Answer, Made>(turn: Turn<Answer, Made>, limits: TurnLimits, waiter: Waiter): Promise<Made | undefined> {
    try {
      const made = await this.#wait(turn, limits, waiter);
      if (made === undefined && limits.waitMs !== 0) await leaveQuietly(turn);
      return made;
    } catch (error) {
      // Leaving a store that does not answer would take as long again.
      if (isCommonholdError(error) && error.code !== 'Closed') void leaveQuietly(turn);
      else await leaveQuietly(turn);
      throw unanswered(error) ? new UnavailableError(turn.operation, 'no answer came', { cause: error }) : error;
    }
  }

  async #wait<Answer, Made>(turn: Turn<Answer, Made>, limits: TurnLimits, waiter: Waiter): Promise<Made | undefined> {
    const { clock } = this.#context;
    const endsAtMs = clock.monotonic() + (limits.waitMs ?? Infinity);
    for (;;) {
      const sentAtMs = clock.monotonic();
      const answer = await turn.look(limits.waitMs === 0 ? 0 : aliveMs);
      this.#check(limits.signal);
      if (!isToCome(answer)) {
        if (clock.monotonic() - sentAtMs < reliableMs(turn.leaseMs)) return turn.begin(answer, sentAtMs);
        // A process that stood still between question and answer may have what is over by now: it asks again.
        continue;
      }
      const leftMs = endsAtMs - clock.monotonic();
      if (leftMs <= 0) return undefined;
      // The first in line takes over from the dead; the others hear of it in their turn.
      await waiter.wait(answer.first ? Math.min(leftMs, answer.goneInMs + 1) : leftMs, limits.signal);
      this.#check(limits.signal);
    }
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new ClosedError('This state');
    signal?.throwIfAborted();
  }
}

function isToCome(answer: unknown): answer is TurnToCome {
  return (answer as TurnToCome).state === 'wait';
}

function unanswered(error: unknown): boolean {
  return isCommonholdError(error) && error.code === 'OutcomeUnknown';
}

// A place that is not left is lost with its lease.
async function leaveQuietly(turn: { leave(): Promise<unknown> }): Promise<void> {
  try {
    await turn.leave();
  } catch (error) {
    if (!isCommonholdError(error)) throw error;
  }
}
