import type { AwayPlace } from '../backend/resilient/away-place.js';
import { mayPass } from '../backend/resilient/journal-part.js';
import type { JournalPart } from '../backend/resilient/journal-part.js';
import { Known } from '../backend/resilient/known.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import type { Operation } from '../operation-id.js';
import { counterFull, type CounterPort, isCounterFull } from './counter-port.js';

/** An add that waits for the store. */
interface WaitingAdd {
  by: number;
  readonly ttlMs: number | undefined;
  readonly keepMs: number | undefined;
  readonly operation: Operation;
  /** The caller's own operation, which stays by itself, and what it was answered. */
  readonly answer: number | undefined;
  /** It may have happened already: nothing may be put to it any more. */
  sent: boolean;
}

/** DECISIONS K9: longer than an outage. */
const rememberMs = 86_400_000;
const addBytes = 160;

/**
 * A counter without its store: adds are summed up here, and added there once when it is back. Totals are as this process
 * knows them: what it heard last, and what it added since.
 */
export class AwayCounter implements AwayTwin<CounterPort> {
  readonly answers: AwayTwin<CounterPort>['answers'];
  readonly learns: NonNullable<AwayTwin<CounterPort>['learns']>;
  readonly #place: AwayPlace;
  readonly #store: CounterPort;
  readonly #totals = new Known<number>();
  readonly #waiting: JournalPart<WaitingAdd[]>;

  constructor(store: CounterPort, place: AwayPlace) {
    this.#store = store;
    this.#place = place;
    this.#waiting = place.journal.part<WaitingAdd[]>({
      replay: (counter, adds) => this.#replay(counter, adds),
      subject: (name) => ({ feature: 'counter', name }),
    });
    const learn = (total: number, counter: string): void => this.#totals.set(counter, total);
    this.learns = { add: learn, addOnce: learn, get: learn };
    this.answers = {
      add: (counter, by, ttlMs, keepMs, guard) =>
        guard === undefined ? this.#add(counter, by, ttlMs, keepMs) : undefined,
      addOnce: (counter, by, ttlMs, keepMs, operation, guard) =>
        guard === undefined ? this.#addOnce(counter, by, ttlMs, keepMs, operation) : undefined,
      get: (counter, guard) => (guard === undefined ? this.#get(counter) : undefined),
    };
  }

  holds(counter: string): boolean {
    return this.#waiting.holds(counter);
  }

  sending(counter: string): Promise<void> | undefined {
    return this.#waiting.sending(counter);
  }

  #get(counter: string): Promise<number> | undefined {
    const known = this.#totals.get(counter);
    const adds = this.#waiting.get(counter);
    return known === undefined && adds === undefined ? undefined : Promise.resolve(this.#total(counter));
  }

  async #add(counter: string, by: number, ttlMs: number | undefined, keepMs: number | undefined): Promise<number> {
    const total = this.#checked(counter, by);
    const open = this.#waiting.get(counter)?.find((add) => add.answer === undefined && !add.sent);
    if (open !== undefined) {
      this.#waiting.enter(counter, 0, () => []);
      open.by += by;
    } else {
      const operation = { id: this.#place.journal.operationId(), rememberMs };
      this.#enter(counter, { by, ttlMs, keepMs, operation, answer: undefined, sent: false });
    }
    return total;
  }

  async #addOnce(
    counter: string,
    by: number,
    ttlMs: number | undefined,
    keepMs: number | undefined,
    operation: Operation,
  ): Promise<number> {
    const before = this.#waiting.get(counter)?.find((add) => add.operation.id === operation.id);
    if (before?.by === by && before.answer !== undefined) return before.answer;
    const answer = this.#checked(counter, by);
    // Of another amount: the store refuses it then, as it does always.
    this.#enter(counter, { by, ttlMs, keepMs, operation: { ...operation, rememberMs }, answer, sent: false });
    return answer;
  }

  #enter(counter: string, add: WaitingAdd): void {
    this.#waiting.enter(counter, addBytes + add.operation.id.length, () => []).push(add);
  }

  #checked(counter: string, by: number): number {
    const total = this.#total(counter) + by;
    if (!Number.isSafeInteger(total)) throw counterFull(counter);
    return total;
  }

  #total(counter: string): number {
    const adds = this.#waiting.get(counter) ?? [];
    return adds.reduce((sum, add) => sum + add.by, this.#totals.get(counter) ?? 0);
  }

  async #replay(counter: string, adds: WaitingAdd[]): Promise<boolean> {
    for (const add of [...adds]) {
      add.sent = true;
      await this.#send(counter, add);
      adds.splice(adds.indexOf(add), 1);
    }
    return adds.length === 0;
  }

  // An operation id that was used for another amount, or a counter that is full, must not take the other adds along.
  async #send(counter: string, { by, ttlMs, keepMs, operation }: WaitingAdd): Promise<void> {
    try {
      this.#totals.set(counter, await this.#store.addOnce(counter, by, ttlMs, keepMs, operation));
    } catch (error) {
      if (mayPass(error) && !isCounterFull(error)) throw error;
      this.#place.journal.conflict({ feature: 'counter', name: counter, why: `${by} was not added: ${String(error)}` });
    }
  }
}
