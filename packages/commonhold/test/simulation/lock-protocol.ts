import { isCommonholdError } from '../../src/errors.js';
import type { Guard } from '../../src/guard.js';
import type { HeldLock } from '../../src/lock/lock.js';
import type { LockAnswer } from '../../src/lock/lock-port.js';
import type { RunningProcess } from '../../src/testing/simulation/simulated-process.js';
import type { ExecutedCall } from '../../src/testing/simulation/simulated-server.js';
import type { Simulation } from '../../src/testing/simulation/simulation.js';
import { type Protocol, rule } from './protocol.js';

const leaseMs = 1_000;
const processes = ['a', 'b', 'c'];

interface Sum {
  readonly count: number;
}

/**
 * Three processes count in a map, each reading and writing under one lock with its guard. Whatever happens to them, the
 * history of the entry is one of whole turns: no write is based on a value that a later holder has replaced.
 */
export const lockProtocol: Protocol = {
  name: 'lock',
  deepSeeds: 100_000,
  times: { faultyMs: 10_000, calmMs: 6_000 },
  begin(simulation) {
    const history = new History(simulation);
    const turns = new Map<string, number>();
    for (const name of processes) {
      simulation.process(name, (process) =>
        count(process, simulation, history, () => turns.set(name, (turns.get(name) ?? 0) + 1)),
      );
    }
    simulation.onCalm(() => turns.clear());
    return () => {
      for (const name of processes) {
        rule('who asks gets the lock', (turns.get(name) ?? 0) > 0, () => `${name} had no turn after the faults`);
      }
    };
  },
};

async function count(
  process: RunningProcess,
  simulation: Simulation,
  history: History,
  done: () => void,
): Promise<void> {
  const { state, chance } = process;
  const lock = state.lock('turn', { lease: leaseMs });
  const sums = state.map<Sum>('sums');
  for (;;) {
    try {
      await using held = await lock.acquire({ wait: chance.pick([1_000, 5_000]) });
      if (held === undefined) continue;
      history.held(process, held);
      const before = await sums.get('sum', { guard: held.guard });
      await process.sleep(simulation.calm || chance.happens(0.8) ? chance.between(1, 200) : chance.between(500, 3_000));
      await sums.set('sum', { count: (before?.count ?? 0) + 1 }, { guard: held.guard });
      // Who heard that it lost the lock would stop; one who does not heed it must do no harm.
      const released = await held.release();
      if (released) done();
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
    await process.sleep(chance.between(1, simulation.calm ? 50 : 500));
  }
}

/** What the store saw, checked as it happens. */
class History {
  readonly #simulation: Simulation;
  readonly #held = new Map<RunningProcess, HeldLock>();
  /** Token -> the count that its holder read. */
  #read = new Map<string, number>();
  #written = 0;
  #writerToken = 0;
  #lostAtMs = -Infinity;
  readonly #tokens = new Map<string, string>();
  #lastToken = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    simulation.onCall((call) => this.#look(call));
    simulation.always(() => this.#oneHolder());
    simulation.onLoss(() => {
      // What was read before cannot be told from what is there now: the fence was lost with it.
      this.#read = new Map();
      this.#lostAtMs = simulation.nowMs;
      this.#written = Number.NaN;
      this.#writerToken = 0;
    });
  }

  held(process: RunningProcess, held: HeldLock): void {
    this.#held.set(process, held);
  }

  #look(call: ExecutedCall): void {
    if (call.failed) return;
    if (call.operation.name === 'lock.acquire') this.#granted(call.reply as LockAnswer, call.args[1] as { id: string });
    if (call.operation.name === 'map.get')
      this.#wasRead((call.args[2] as Guard).token, call.reply as { value: string });
    if (call.operation.name === 'map.set') this.#wasWritten(call);
  }

  #granted(answer: LockAnswer, member: { id: string }): void {
    if (answer.state !== 'held') return;
    const holder = this.#tokens.get(answer.token);
    if (holder === member.id) return;
    rule('a token has one holder', holder === undefined, () => `${answer.token} is ${holder}'s and ${member.id}'s`);
    rule('tokens grow', Number(answer.token) > this.#lastToken, () => `${answer.token} came after ${this.#lastToken}`);
    this.#lastToken = Number(answer.token);
    this.#tokens.set(answer.token, member.id);
  }

  #wasRead(token: string, record: { value: string } | undefined): void {
    const { count: found } = record === undefined ? { count: 0 } : (JSON.parse(record.value) as Sum);
    this.#read.set(token, found);
    if (Number.isNaN(this.#written)) this.#written = found;
  }

  #wasWritten({ args }: ExecutedCall): void {
    const [entry] = args[2] as [string, string][];
    const { token } = args[4] as Guard;
    const { count: written } = JSON.parse(entry?.[1] ?? '') as Sum;
    const base = this.#read.get(token);
    if (base !== undefined) {
      rule(
        'no stale guarded write',
        base === this.#written,
        () => `${token} read ${base} and replaced ${this.#written}`,
      );
      rule(
        'guarded writes are in the order of tokens',
        Number(token) >= this.#writerToken,
        () => `${token} after ${this.#writerToken}`,
      );
    }
    this.#written = written;
    this.#writerToken = Number(token);
  }

  // Who relies on the lock does so alone, unless the store lost it.
  #oneHolder(): void {
    if (this.#simulation.nowMs - this.#lostAtMs < leaseMs) return;
    const reliable: string[] = [];
    for (const [process, held] of this.#held) {
      if (!process.alive) this.#held.delete(process);
      else if (held.reliable) reliable.push(process.id);
    }
    rule('one holder relies on the lock', reliable.length <= 1, () => reliable.join(' and '));
  }
}
