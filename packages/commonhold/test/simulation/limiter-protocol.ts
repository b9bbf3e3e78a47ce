import { isCommonholdError } from '../../src/errors.js';
import type { Operation } from '../../src/operation-id.js';
import type { Reading } from '../../src/rate-limit/rate-limit-port.js';
import type { RunningProcess } from '../../src/testing/simulation/simulated-process.js';
import type { ExecutedCall } from '../../src/testing/simulation/simulated-server.js';
import type { Simulation } from '../../src/testing/simulation/simulation.js';
import { type Protocol, rule } from './protocol.js';

const limit = 5;
const windowMs = 2_000;

/** Three processes let one subject in. In no window's time are more admitted than the limit, by the time of the store. */
export const limiterProtocol: Protocol = {
  name: 'limiter',
  times: { faultyMs: 12_000, calmMs: 4_000 },
  begin(simulation) {
    const door = new Door(simulation);
    for (const name of ['a', 'b', 'c']) simulation.process(name, (process) => knock(process));
    simulation.onCalm(() => (door.admittedSinceCalm = 0));
    return () => rule('somebody is let in', door.admittedSinceCalm > 0, () => 'nobody was after the faults');
  },
};

async function knock({ state, chance, id, sleep }: RunningProcess): Promise<void> {
  const rules = { limit, window: windowMs, algorithm: 'sliding-window' as const };
  const door = state.rateLimit('door', rules, { away: 'closed', remember: false });
  for (let number = 0; ; number++) {
    const operationId = `${id}-${number}`;
    for (let tries = 3; tries > 0; tries--) {
      try {
        await door.consume('somebody', chance.happens(0.5) ? { operationId } : {});
        break;
      } catch (error) {
        if (!isCommonholdError(error)) throw error;
      }
    }
    await sleep(chance.until(200));
  }
}

/** Who was admitted, by the store's word. */
class Door {
  admittedSinceCalm = 0;
  #admittedAtMs: number[] = [];
  /** Id of an admitted operation -> what was answered. */
  #operations = new Map<string, string>();

  constructor(simulation: Simulation) {
    simulation.onCall((call) => this.#look(call));
    // A window that was lost begins again: at most one limit more.
    simulation.onLoss(() => {
      this.#admittedAtMs = [];
      this.#operations = new Map();
    });
  }

  #look({ operation, failed, args, reply }: ExecutedCall): void {
    if (failed || !operation.name.startsWith('rate-limit.consume')) return;
    const { allowed, atMs, meters } = reply as Reading;
    const { id } = (operation.name === 'rate-limit.consumeOnce' ? args[4] : {}) as Partial<Operation>;
    const before = id === undefined ? undefined : this.#operations.get(id);
    if (before !== undefined) return this.#repeated(before, JSON.stringify(reply));
    if (!allowed) return;
    if (id !== undefined) this.#operations.set(id, JSON.stringify(reply));
    this.admittedSinceCalm++;
    this.#admittedAtMs = [...this.#admittedAtMs.filter((time) => time > atMs - windowMs), atMs];
    const admitted = this.#admittedAtMs.length;
    rule('no more are admitted than the limit', admitted <= limit, () => `${admitted} within ${windowMs} ms`);
    const left = meters[0]?.remaining ?? 0;
    rule('every admission is counted', left <= limit - admitted, () => `${left} left after ${admitted}`);
  }

  #repeated(before: string, now: string): void {
    rule('an operation has one answer', now === before, () => `${now}, and before ${before}`);
  }
}
