import type { Backend } from '../../backend/backend.js';
import { MemoryStore, type StoreUser } from '../../backend/memory/memory-store.js';
import type { Clock } from '../../clock.js';
import { openState } from '../../open-state.js';
import type { SharedState } from '../../shared-state.js';
import type { Chance } from './chance.js';
import type { Network } from './simulated-connection.js';
import { SimulatedLink } from './simulated-link.js';
import type { SimulatedServer } from './simulated-server.js';
import type { Actor, World } from './world.js';

/** What a program is given of the process that runs it. */
export interface RunningProcess {
  readonly name: string;
  /** Of this start of it, such as `a.2`. */
  readonly id: string;
  readonly state: SharedState;
  readonly clock: Clock;
  readonly chance: Chance;
  /** False once it crashed, for whoever watches from outside. */
  readonly alive: boolean;
  sleep(this: void, ms: number): Promise<void>;
}

/** What a process runs, from its beginning each time it is started. */
export type Program = (process: RunningProcess) => Promise<void>;

/** One start of a process: when it crashes all that belongs to it stops where it is. */
class Incarnation implements Actor {
  readonly id: string;
  dead = false;
  paused = false;
  deferred: (() => void)[] = [];
  link: SimulatedLink | undefined;

  constructor(id: string) {
    this.id = id;
  }

  defer(run: () => void): void {
    this.deferred.push(run);
  }
}

// Memory is of no use to a state whose store is elsewhere.
class LinkedStore extends MemoryStore {
  readonly #link: (user: StoreUser) => Backend;

  constructor(clock: Clock, link: (user: StoreUser) => Backend) {
    super({ clock });
    this.#link = link;
  }

  override connect(user: StoreUser): Backend {
    return this.#link(user);
  }
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const calmLatencyMs = 5;
const startMs = Date.UTC(2026, 0, 1);

/** A process of a simulation, which crashes, stands still, and has a clock of its own. */
export class SimulatedProcess {
  readonly name: string;
  readonly network: Network;
  readonly #world: World;
  readonly #server: SimulatedServer;
  readonly #program: Program;
  #incarnation: Incarnation | undefined;
  #starts = 0;
  #wallAheadMs = 0;

  constructor(name: string, program: Program, world: World, server: SimulatedServer, network: Network) {
    this.name = name;
    this.network = network;
    this.#program = program;
    this.#world = world;
    this.#server = server;
  }

  /** Whether it runs, and does not stand still. */
  get running(): boolean {
    return this.#incarnation !== undefined && !this.#incarnation.paused;
  }

  start(): void {
    if (this.#incarnation !== undefined) return;
    const incarnation = new Incarnation(`${this.name}.${++this.#starts}`);
    this.#incarnation = incarnation;
    this.#world.trace(() => `${incarnation.id} starts`);
    this.#run(incarnation).catch((error: unknown) => {
      if (!incarnation.dead) this.#world.fail(error);
    });
  }

  /** Forgets everything. */
  crash(): void {
    const incarnation = this.#incarnation;
    if (incarnation === undefined) return;
    this.#world.trace(() => `${incarnation.id} crashes`);
    incarnation.dead = true;
    incarnation.link?.abandon();
    this.#incarnation = undefined;
  }

  /** Stands still, while time goes on. */
  pause(): void {
    if (this.#incarnation === undefined) return;
    this.#world.trace(() => `${this.#incarnation?.id} stands still`);
    this.#incarnation.paused = true;
  }

  /** Goes on with what it missed, in order. */
  resume(): void {
    const incarnation = this.#incarnation;
    if (incarnation === undefined || !incarnation.paused) return;
    this.#world.trace(() => `${incarnation.id} goes on`);
    incarnation.paused = false;
    for (const run of incarnation.deferred.splice(0)) this.#world.after(0, run, incarnation);
  }

  /** Cuts its connection. */
  reset(): void {
    this.#incarnation?.link?.reset();
  }

  /** Nothing gets through from now on. */
  partition(): void {
    this.#world.trace(() => `${this.name} is cut off`);
    this.network.partitioned = true;
  }

  /** Ends a partition. */
  heal(): void {
    this.#world.trace(() => `${this.name} is not cut off any more`);
    this.network.partitioned = false;
    this.#incarnation?.link?.heal();
  }

  /** Has the network lose nothing any more, and delay little. */
  calm(): void {
    this.network.lostReplies = 0;
    this.network.mostMs = Math.min(this.network.mostMs, calmLatencyMs);
  }

  /** Steps its wall clock, as a correction does. */
  jumpWall(ms: number): void {
    this.#world.trace(() => `the clock of ${this.name} jumps by ${ms.toFixed(0)} ms`);
    this.#wallAheadMs += ms;
  }

  async #run(incarnation: Incarnation): Promise<void> {
    const world = this.#world;
    const clock = this.#clockOf(incarnation);
    const memory = new LinkedStore(clock, ({ keys }) => {
      incarnation.link = new SimulatedLink(world, this.#server, this.network, incarnation, keys);
      return incarnation.link;
    });
    const options = { memory, clock, random: world.chance, log: silent, owner: this.name, environment: {} };
    const state = await openState({ namespace: 'simulation', ...options });
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, ms));
    await this.#program({
      name: this.name,
      id: incarnation.id,
      state,
      clock,
      chance: world.chance,
      sleep,
      get alive() {
        return !incarnation.dead;
      },
    });
  }

  #clockOf(incarnation: Incarnation): Clock {
    const world = this.#world;
    const bootedAtMs = world.nowMs;
    return {
      now: () => Math.floor(startMs + world.nowMs + this.#wallAheadMs),
      monotonic: () => world.nowMs - bootedAtMs,
      // As Node does with less than a millisecond.
      setTimer: (callback, delayMs) => world.after(delayMs >= 1 ? delayMs : 1, callback, incarnation),
      afterPoll: (callback) => void world.after(0, callback, incarnation),
    };
  }
}
