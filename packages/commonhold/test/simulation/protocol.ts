import type { FaultRates } from '../../src/testing/simulation/faults.js';
import type { Simulation, SimulationTimes } from '../../src/testing/simulation/simulation.js';

/** What processes do with one feature, and the rules that must hold whatever happens to them. */
export interface Protocol {
  readonly name: string;
  readonly times: SimulationTimes;
  readonly faults?: Partial<FaultRates>;
  /** Seeds in `npm run test:deep`; 10,000 unless given. */
  readonly deepSeeds?: number;
  /** Adds processes and invariants; returns what must hold in the end. */
  begin(simulation: Simulation): () => void | Promise<void>;
}

/** A rule that was broken, by its name. */
export class BrokenRule extends Error {
  readonly rule: string;

  constructor(rule: string, details: string) {
    super(`${rule}: ${details}`);
    this.rule = rule;
  }
}

/** @throws BrokenRule unless `holds`. */
export function rule(name: string, holds: boolean, details: () => string): void {
  if (!holds) throw new BrokenRule(name, details());
}
