import type { PortCall } from '../port-calls.js';
import type { Planting } from '../recorded-store.js';
import type { Chance } from './chance.js';
import { defaultFaultRates, FaultInjector, type FaultRates } from './faults.js';
import { type Program, SimulatedProcess } from './simulated-process.js';
import { type ExecutedCall, SimulatedServer } from './simulated-server.js';
import { World } from './world.js';

/** Options of `createSimulation`. */
export interface SimulationOptions {
  /** Decides everything that happens: the same seed is the same run. Any safe integer. */
  readonly seed: number;
  /** Mean milliseconds between two faults of a kind; Infinity for none. Default: some seconds each. */
  readonly faults?: Partial<FaultRates>;
  /** Gets a line for everything that happens. Default: nothing is written. */
  readonly trace?: (line: string) => void;
  /** Changes the ports of the store, to plant a bug. Default: they are as they are. */
  readonly plant?: Planting;
}

/** How long a simulation goes on. */
export interface SimulationTimes {
  /** Simulated milliseconds in which faults happen. */
  readonly faultyMs: number;
  /** Simulated milliseconds after that in which none do, for everything to settle. */
  readonly calmMs: number;
}

/**
 * Processes and a store in simulated time: seconds of them take a millisecond. Each process has a state of its own, over a
 * network that delays and loses; processes crash and stand still, clocks jump, the store loses its last writes.
 */
export interface Simulation {
  readonly chance: Chance;
  /** Simulated milliseconds since the start. */
  readonly nowMs: number;
  /** Milliseconds since 1970 by the clock of the store. */
  serverNow(): number;
  /** Adds a process, which runs `program` from the start of the simulation, and again each time it is started. */
  process(name: string, program: Program): void;
  /** Has `invariant`, which throws when it is broken, checked after each event. */
  always(invariant: () => void): void;
  /** Hears of each call right after the store executed it. What it throws ends the simulation. */
  onCall(observer: (call: ExecutedCall) => void): void;
  /** Hears which calls the store lost. */
  onLoss(listener: (lost: readonly PortCall[]) => void): void;
  /** Calls `listener` when faults stop. */
  onCalm(listener: () => void): void;
  /** Whether faults have stopped. */
  readonly calm: boolean;
  /** Lets time pass. Rejects with a `SimulationFailure`, which names the seed, for the first thing that is wrong. */
  run(times: SimulationTimes): Promise<void>;
}

/** A simulation that has not begun. */
export function createSimulation(options: SimulationOptions): Simulation {
  return new SeededSimulation(options);
}

class SeededSimulation implements Simulation {
  readonly #world: World;
  readonly #server: SimulatedServer;
  readonly #rates: Partial<FaultRates>;
  readonly #processes: SimulatedProcess[] = [];
  readonly #calmListeners: (() => void)[] = [];
  readonly #lostReplies: number;
  readonly #mostLatencyMs: number;
  calm = false;

  constructor({ seed, faults, trace, plant }: SimulationOptions) {
    this.#world = new World(seed, trace);
    this.#server = new SimulatedServer(this.#world, plant);
    this.#rates = { ...defaultFaultRates, ...faults };
    this.#lostReplies = this.chance.happens(0.5) ? 0.02 : 0;
    this.#mostLatencyMs = this.chance.pick([1, 5, 50, 300]);
  }

  get chance(): Chance {
    return this.#world.chance;
  }

  get nowMs(): number {
    return this.#world.nowMs;
  }

  serverNow(): number {
    return this.#server.now();
  }

  process(name: string, program: Program): void {
    const network = { leastMs: 0.1, mostMs: this.#mostLatencyMs, lostReplies: this.#lostReplies, partitioned: false };
    this.#processes.push(new SimulatedProcess(name, program, this.#world, this.#server, network));
  }

  always(invariant: () => void): void {
    this.#world.always(invariant);
  }

  onCall(observer: (call: ExecutedCall) => void): void {
    this.#server.observe((call) => {
      try {
        observer(call);
      } catch (error) {
        this.#world.fail(error);
      }
    });
  }

  onLoss(listener: (lost: readonly PortCall[]) => void): void {
    this.#server.onLoss(listener);
  }

  onCalm(listener: () => void): void {
    this.#calmListeners.push(listener);
  }

  async run({ faultyMs, calmMs }: SimulationTimes): Promise<void> {
    const { processes, server, world } = { processes: this.#processes, server: this.#server, world: this.#world };
    for (const process of processes) process.start();
    const faults = new FaultInjector({ world, server, processes }, this.#rates);
    await world.run(faultyMs);
    this.calm = true;
    faults.stop();
    for (const listener of this.#calmListeners) listener();
    await world.run(calmMs);
  }
}
