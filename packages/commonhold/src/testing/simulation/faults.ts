import type { Chance } from './chance.js';
import type { SimulatedProcess } from './simulated-process.js';
import type { SimulatedServer } from './simulated-server.js';
import type { World } from './world.js';

/** The kinds of faults, each with the mean time between two of it, in simulated milliseconds. */
export interface FaultRates {
  /** A connection is cut. */
  readonly reset: number;
  /** A process is cut off, for some seconds, and nothing closes. */
  readonly partition: number;
  /** A process stands still, for some seconds. */
  readonly pause: number;
  /** A process dies, and is started again. */
  readonly crash: number;
  /** The wall clock of a process jumps, by up to an hour. */
  readonly clockJump: number;
  /** The server dies, and comes back with all that it had. */
  readonly serverCrash: number;
  /** The server dies, and comes back without its last writes, or, now and then, with nothing. */
  readonly loss: number;
}

/** Faults about as often as a protocol can be told to bear them. */
export const defaultFaultRates: FaultRates = {
  reset: 3_000,
  partition: 8_000,
  pause: 6_000,
  crash: 8_000,
  clockJump: 10_000,
  serverCrash: 12_000,
  loss: 15_000,
};

/** Where faults happen. */
export interface FaultPlace {
  readonly world: World;
  readonly server: SimulatedServer;
  readonly processes: readonly SimulatedProcess[];
}

const longestOutageMs = 8_000;
const longestJumpMs = 3_600_000;
const mostLostWrites = 8;

/**
 * Has faults happen until {@link FaultInjector.stop}. Each seed has kinds of faults of its own, none to all of them: where
 * everything happens at once, rare things hide each other.
 */
export class FaultInjector {
  readonly #place: FaultPlace;
  readonly #chance: Chance;
  #stopped = false;

  constructor(place: FaultPlace, rates: Partial<FaultRates>) {
    this.#place = place;
    this.#chance = place.world.chance;
    for (const [kind, meanMs] of Object.entries(rates)) {
      if (meanMs < Infinity && this.#chance.happens(0.5)) this.#arm(kind as keyof FaultRates, meanMs);
    }
  }

  /** Everything is well again from now on. */
  stop(): void {
    this.#stopped = true;
    for (const process of this.#place.processes) {
      process.calm();
      process.heal();
      process.resume();
      process.start();
    }
  }

  #arm(kind: keyof FaultRates, meanMs: number): void {
    this.#place.world.after(this.#chance.until(meanMs), () => {
      if (this.#stopped) return;
      this.#happen[kind](this.#chance.pick(this.#place.processes));
      this.#arm(kind, meanMs);
    });
  }

  readonly #happen: Readonly<Record<keyof FaultRates, (process: SimulatedProcess) => void>> = {
    reset: (process) => process.reset(),
    partition: (process) => {
      process.partition();
      this.#later(() => process.heal());
    },
    pause: (process) => {
      process.pause();
      this.#later(() => process.resume());
    },
    crash: (process) => {
      process.crash();
      this.#later(() => process.start());
    },
    clockJump: (process) => process.jumpWall(this.#chance.between(-longestJumpMs, longestJumpMs)),
    serverCrash: () => this.#place.server.crash({ downMs: this.#outageMs() / 4, lostWrites: 0 }),
    loss: () => this.#lose(),
  };

  // What comes back may be another machine, whose clock differs by less than the failover took.
  #lose(): void {
    const downMs = this.#outageMs() / 4;
    const lostWrites = this.#chance.happens(0.3) ? Infinity : this.#chance.whole(1, mostLostWrites);
    this.#place.server.crash({ downMs, lostWrites, clockStepMs: this.#chance.between(-downMs / 2, downMs / 2) });
  }

  #later(run: () => void): void {
    this.#place.world.after(this.#outageMs(), () => {
      if (!this.#stopped) run();
    });
  }

  // Mostly short, now and then longer than any lease.
  #outageMs(): number {
    return this.#chance.happens(0.5) ? this.#chance.between(10, 1_000) : this.#chance.between(1_000, longestOutageMs);
  }
}
