import type { Clock } from '../clock.js';
import type { ChangeOutcome, PresenceChange } from './presence-port.js';

/** Changes of one step: enough to amortise it, few enough not to hold up others: about 10 ms at the server. */
const mostChanges = 100;
const fewestChanges = 10;
const mostCharacters = 256 * 1024;
/** Steps under way at once: one is done while the next travels. More would only wait, and their deadlines pass meanwhile. */
const mostSteps = 2;
/**
 * An answer that takes longer shows that the server, this process or the link between has more than it can do, such as the
 * events of thousands that join elsewhere: steps are then half as large, and with each quick answer a little larger again.
 */
const slowMs = 100;

interface Waiting {
  readonly change: PresenceChange;
  readonly resolve: (outcome: ChangeOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Joins the changes made in one turn of the event loop, or while many are under way, in order, into few steps. */
export class ChangeBatch {
  readonly #clock: Clock;
  readonly #send: (changes: readonly PresenceChange[]) => Promise<readonly ChangeOutcome[]>;
  #waiting: Waiting[] = [];
  #planned = false;
  #underWay = 0;
  #size = mostChanges;

  constructor(clock: Clock, send: (changes: readonly PresenceChange[]) => Promise<readonly ChangeOutcome[]>) {
    this.#clock = clock;
    this.#send = send;
  }

  add(change: PresenceChange): Promise<ChangeOutcome> {
    return new Promise((resolve, reject) => {
      // Messages of many sockets that arrived together are one batch.
      if (!this.#planned) this.#clock.afterPoll(() => this.#flush());
      this.#planned = true;
      this.#waiting.push({ change, resolve, reject });
    });
  }

  #flush(): void {
    this.#planned = false;
    let start = 0;
    while (start < this.#waiting.length && this.#underWay < mostSteps) {
      const end = endOfStep(this.#waiting, start, this.#size);
      void this.#sendStep(this.#waiting.slice(start, end));
      start = end;
    }
    this.#waiting = this.#waiting.slice(start);
  }

  async #sendStep(step: readonly Waiting[]): Promise<void> {
    this.#underWay++;
    const sentAtMs = this.#clock.monotonic();
    try {
      const outcomes = await this.#send(step.map(({ change }) => change));
      for (const [index, { resolve }] of step.entries()) resolve(outcomes[index] as ChangeOutcome);
    } catch (error) {
      for (const { reject } of step) reject(error);
    }
    this.#underWay--;
    const isSlow = this.#clock.monotonic() - sentAtMs > slowMs;
    this.#size = isSlow ? Math.max(fewestChanges, this.#size >> 1) : Math.min(mostChanges, this.#size + fewestChanges);
    this.#flush();
  }
}

// Who leaves is kept apart from who comes, because leaving also works when the store is full.
function endOfStep(waiting: readonly Waiting[], start: number, most: number): number {
  const leaving = waiting[start]?.change.kind === 'leave';
  let end = start;
  let characters = 0;
  while (end < waiting.length && end - start < most && characters < mostCharacters) {
    const { change } = waiting[end] as Waiting;
    if ((change.kind === 'leave') !== leaving) break;
    characters += 'details' in change ? change.details.meta.length + 512 : 512;
    end++;
  }
  return end;
}
