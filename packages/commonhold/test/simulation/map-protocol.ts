import { isCommonholdError } from '../../src/errors.js';
import type { MapReplacement } from '../../src/map/map-port.js';
import type { RunningProcess } from '../../src/testing/simulation/simulated-process.js';
import type { ExecutedCall } from '../../src/testing/simulation/simulated-server.js';
import type { Simulation } from '../../src/testing/simulation/simulation.js';
import { type Protocol, rule } from './protocol.js';

const names = ['a', 'b', 'c'];
const keys = ['one', 'two', 'three'];

/**
 * Three processes write the same entries, with the store or without. Nobody dies, so what they were told is written has been
 * there or was told as a conflict, and replaced nothing that another wrote since.
 */
export const mapProtocol: Protocol = {
  name: 'map',
  times: { faultyMs: 15_000, calmMs: 10_000 },
  faults: { crash: Infinity, loss: Infinity },
  begin(simulation) {
    const history = new History(simulation);
    for (const name of names) simulation.process(name, (process) => write(process, simulation, history));
    return () => history.close();
  },
};

async function write(process: RunningProcess, simulation: Simulation, history: History): Promise<void> {
  const { state, chance, name, sleep } = process;
  const settings = state.map<string>('settings');
  state.on('conflict', ({ ours }) => void history.conflicts.add(ours as string));
  for (let number = 0; ; number++) {
    const key = chance.pick(keys);
    const value = `${name}-${number}`;
    try {
      if (simulation.calm) await look(process, history);
      else if (chance.happens(0.3)) await settings.get(key);
      else {
        const askedAtMs = state.status().connected ? undefined : simulation.nowMs;
        await (chance.happens(0.5) ? settings.set(key, value) : settings.update(key, () => value));
        // What was on its way already may arrive at any time, as without a journal.
        history.told(name, key, value, simulation.nowMs === askedAtMs);
      }
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
    await sleep(simulation.calm ? 1_000 : chance.until(300));
  }
}

async function look({ state, name }: RunningProcess, history: History): Promise<void> {
  const seen = await state.map<string>('settings').getMany(keys);
  history.seen.set(
    name,
    keys.map((key) => seen.get(key)),
  );
}

interface Written {
  readonly value: string;
  readonly atMs: number;
}

/** What the store saw, and what its users were told. */
class History {
  readonly conflicts = new Set<string>();
  /** By process. */
  readonly seen = new Map<string, readonly (string | undefined)[]>();
  readonly #simulation: Simulation;
  readonly #stored = new Map<string, Written>();
  readonly #written = new Set<string>();
  /** When what was never sent was noted. */
  readonly #notedAtMs = new Map<string, number>();
  /** The last that each process was told is written, by process and key. */
  readonly #last = new Map<string, string>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    simulation.onCall((call) => this.#look(call));
  }

  told(name: string, key: string, value: string, atOnce: boolean): void {
    if (atOnce) this.#notedAtMs.set(value, this.#simulation.nowMs);
    this.#last.set(`${name} ${key}`, value);
  }

  close(): void {
    for (const value of this.#last.values()) {
      const known = this.#written.has(value) || this.conflicts.has(value);
      rule('what was acknowledged is written, or told as a conflict', known, () => value);
    }
    const expected = keys.map((key) => this.#stored.get(key)?.value).join();
    for (const name of names) {
      const seen = this.seen.get(name)?.join();
      rule('everybody reads what is there', seen === expected, () => `${name} reads ${seen}, there is ${expected}`);
    }
  }

  #look({ operation, failed, args, reply }: ExecutedCall): void {
    if (failed) return;
    if (operation.name === 'map.set') {
      for (const [key, value] of args[2] as [string, string][]) this.#wrote(key, value);
    }
    if (operation.name === 'map.replace' && (reply as MapReplacement).written) {
      this.#wrote(args[2] as string, args[4] as string);
    }
  }

  #wrote(key: string, text: string): void {
    const value = JSON.parse(text) as string;
    const before = this.#stored.get(key);
    const notedAtMs = this.#notedAtMs.get(value) ?? Infinity;
    const others = before !== undefined && before.value.split('-')[0] !== value.split('-')[0];
    rule(
      'what waited replaces nothing newer of another',
      !others || before.atMs <= notedAtMs,
      () => `${key}: ${before?.value} by ${value}`,
    );
    this.#stored.set(key, { value, atMs: this.#simulation.nowMs });
    this.#written.add(value);
  }
}
