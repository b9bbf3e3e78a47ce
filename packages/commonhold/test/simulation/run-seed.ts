import { createSimulation, type SimulationOptions } from '../../src/testing/simulation/simulation.js';
import { SimulationFailure } from '../../src/testing/simulation/world.js';
import type { PlantedBug } from './planted-bugs.js';
import { BrokenRule, type Protocol } from './protocol.js';

/** Runs a protocol with one seed; answers with what went wrong, if anything did. */
export async function runSeed(
  protocol: Protocol,
  seed: number,
  options: Omit<SimulationOptions, 'seed' | 'faults'> = {},
): Promise<SimulationFailure | undefined> {
  const { faults = {}, times } = protocol;
  const simulation = createSimulation({ seed, faults, ...options });
  const check = protocol.begin(simulation);
  try {
    await simulation.run(times);
  } catch (error) {
    if (error instanceof SimulationFailure) return error;
    throw error;
  }
  try {
    await check();
    return undefined;
  } catch (error) {
    return new SimulationFailure(seed, simulation.nowMs, error);
  }
}

/** What came of many seeds. */
export interface SeedReport {
  readonly runs: number;
  readonly failures: readonly SimulationFailure[];
  readonly tookMs: number;
}

/** How many seeds are run. */
export interface SeedsOptions extends Pick<SimulationOptions, 'plant'> {
  /** After so many it is enough. Default 3. */
  readonly mostFailures?: number;
}

/** Runs seeds one after the other. */
export async function runSeeds(
  protocol: Protocol,
  first: number,
  count: number,
  { plant, mostFailures = 3 }: SeedsOptions = {},
): Promise<SeedReport> {
  const failures: SimulationFailure[] = [];
  const startedAtMs = performance.now();
  let runs = 0;
  for (; runs < count && failures.length < mostFailures; runs++) {
    const failure = await runSeed(protocol, first + runs, plant === undefined ? {} : { plant });
    if (failure !== undefined) failures.push(failure);
  }
  return { runs, failures, tookMs: performance.now() - startedAtMs };
}

/** Runs `work` while the bug is planted, where it is in what processes run rather than in the store. */
export async function hunt<Result>(
  { plantHere }: Pick<PlantedBug, 'plantHere'>,
  work: () => Promise<Result>,
): Promise<Result> {
  const pull = plantHere?.();
  try {
    return await work();
  } finally {
    pull?.();
  }
}

/** The rule that was broken; the message where it was something else. */
export function ruleOf({ cause, message }: SimulationFailure): string {
  return cause instanceof BrokenRule ? cause.rule : message;
}

/** For people: what went wrong, and how to see it happen. */
export function describeFailures(protocol: Protocol, failures: readonly SimulationFailure[]): string[] {
  return failures.map(
    (failure) => `${failure.message}; see npm run test:simulation -- ${protocol.name} ${failure.seed}`,
  );
}
