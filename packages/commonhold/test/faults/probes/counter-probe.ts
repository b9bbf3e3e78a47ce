import type { Counter } from '../../../src/counter/counter.js';
import type { Feature } from '../codes.js';
import { FeatureProbe } from '../probe.js';

/** Adds with operation ids: each counts once. */
export class CounterProbe extends FeatureProbe {
  readonly feature: Feature = 'CN';
  readonly #unknown: string[] = [];
  #counter: Counter | undefined;
  #added = 0;

  async prepare(): Promise<void> {
    this.#counter = this.place.subject.counter('c');
    this.#added = await this.#counter.add(10, { operationId: 'first' });
  }

  async round(n: number): Promise<void> {
    const counter = this.#counter;
    if (counter === undefined) return;
    const operationId = `add ${n}`;
    const answer = await this.ask(
      'add',
      () => counter.add(1, { operationId }),
      () => {
        this.#added += 1;
        return this.written('BU');
      },
    );
    if (answer.code === 'OU') this.#unknown.push(operationId);
    await this.ask(
      'get',
      () => counter.get(),
      () => this.read,
    );
  }

  async settle(): Promise<void> {
    const counter = this.#counter;
    if (counter === undefined) return;
    for (const operationId of this.#unknown) {
      await this.insist('add', () => counter.add(1, { operationId }));
      this.#added += 1;
    }
    let total = 0;
    const enough = await this.soon(
      async () => (total = await this.place.other.counter('c').get()) >= this.#added,
      3_000,
    );
    if (total > this.#added) this.wrong(`${total} is counted, and ${this.#added} were added`);
    else if (enough) this.note('OK');
    else this.gone(`${total} is counted, and ${this.#added} were added`);
  }
}
