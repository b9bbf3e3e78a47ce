import { isCommonholdError } from '../../src/errors.js';
import type { Operation } from '../../src/operation-id.js';
import type { RunningProcess } from '../../src/testing/simulation/simulated-process.js';
import type { ExecutedCall } from '../../src/testing/simulation/simulated-server.js';
import type { Simulation } from '../../src/testing/simulation/simulation.js';
import { type Protocol, rule } from './protocol.js';

/**
 * Three processes count and collect, with the store or without. Nobody dies, so what they were told is done must be there
 * in the end, and no more than they asked for.
 */
export const journalProtocol: Protocol = {
  name: 'journal',
  times: { faultyMs: 15_000, calmMs: 10_000 },
  faults: { crash: Infinity, loss: Infinity },
  begin(simulation) {
    const book = new Book(simulation);
    for (const name of ['a', 'b', 'c'])
      simulation.process(name, (process) => countAndCollect(process, simulation, book));
    simulation.process('judge', (process) => judge(process, simulation, book));
    return () => book.close();
  },
};

async function countAndCollect(process: RunningProcess, simulation: Simulation, book: Book): Promise<void> {
  const { state, chance, id } = process;
  const visits = state.counter('visits');
  const people = state.uniqueSet('people');
  for (let number = 0; !simulation.calm; number++) {
    const by = chance.whole(1, 5);
    book.asked += by;
    // An operation is done again until it is answered.
    const named = chance.happens(0.3);
    const options = named ? { operationId: `${id}-${number}` } : {};
    for (let tries = named ? 5 : 1; tries > 0; tries--) {
      if (!(await done(() => visits.add(by, options)))) continue;
      book.told += by;
      break;
    }
    const person = `${id}-${number}`;
    if (await done(() => people.add(person))) book.people.add(person);
    await process.sleep(chance.until(300));
  }
}

async function done(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isCommonholdError(error)) throw error;
    return false;
  }
}

async function judge({ state, sleep }: RunningProcess, simulation: Simulation, book: Book): Promise<void> {
  for (;;) {
    await sleep(1_000);
    if (!simulation.calm) continue;
    await done(async () => {
      book.found = await state.counter('visits').get();
      book.present = await state.uniqueSet('people').count();
    });
  }
}

/** What was asked for, what was acknowledged, and what the store has. */
class Book {
  asked = 0;
  told = 0;
  found = 0;
  present = 0;
  readonly people = new Set<string>();
  readonly #answers = new Map<string, unknown>();
  #total = 0;

  constructor(simulation: Simulation) {
    simulation.onCall((call) => this.#look(call));
  }

  close(): void {
    rule('what was acknowledged is counted', this.found >= this.told, () => `${this.told} told, ${this.found} found`);
    rule(
      'no more is counted than was added',
      this.found <= this.asked,
      () => `${this.asked} asked, ${this.found} found`,
    );
    rule('who was acknowledged is in the set', this.present >= this.people.size, () => `${this.present} present`);
  }

  #look({ operation, failed, args, reply }: ExecutedCall): void {
    if (failed || !operation.name.startsWith('counter.add')) return;
    const { id } = (operation.name === 'counter.addOnce' ? args[4] : {}) as Partial<Operation>;
    if (id === undefined || !this.#answers.has(id)) this.#total += args[1] as number;
    const expected = id === undefined ? this.#total : (this.#answers.get(id) ?? this.#total);
    if (id !== undefined) this.#answers.set(id, expected);
    rule(
      'an operation counts once',
      reply === expected,
      () => `${id} gave ${String(reply)}, not ${JSON.stringify(expected)}`,
    );
  }
}
