import { systemClock, type Timer } from '../../clock.js';
import { createChance, type Chance } from './chance.js';
import { type Due, EventHeap } from './event-heap.js';

/** Whose event it is: one that is dead hears of nothing, one that stands still hears of it afterwards. */
export interface Actor {
  readonly dead: boolean;
  readonly paused: boolean;
  /** Keeps an event until the pause is over. */
  defer(run: () => void): void;
}

interface Event extends Due {
  readonly actor: Actor | undefined;
  run: (() => void) | undefined;
}

/** A rule of the protocol was broken, or something in the simulation threw what nobody expected. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  readonly seed: number;
  /** Simulated milliseconds since the start. */
  readonly atMs: number;

  constructor(seed: number, atMs: number, cause: unknown) {
    super(`seed ${seed}, ${atMs.toFixed(3)} ms: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.seed = seed;
    this.atMs = atMs;
  }
}

/** Time that passes from event to event, and everything that happens in it, in an order that the seed decides. */
export class World {
  readonly seed: number;
  readonly chance: Chance;
  readonly #events = new EventHeap<Event>();
  readonly #invariants: (() => void)[] = [];
  readonly #write: ((line: string) => void) | undefined;
  #nowMs = 0;
  #order = 0;
  #failure: SimulationFailure | undefined;

  constructor(seed: number, write?: (line: string) => void) {
    this.seed = seed;
    this.chance = createChance(seed);
    this.#write = write;
  }

  /** Simulated milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Calls `run` after `delayMs`, unless its actor is dead by then. */
  after(delayMs: number, run: () => void, actor?: Actor): Timer {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, actor, run };
    this.#events.push(event);
    return { cancel: () => void (event.run = undefined) };
  }

  /** Has `invariant`, which throws when it is broken, checked after each event. */
  always(invariant: () => void): void {
    this.#invariants.push(invariant);
  }

  /** Writes a line of the trace, where there is one. */
  trace(line: () => string): void {
    this.#write?.(`${this.#nowMs.toFixed(3).padStart(12)} ${line()}`);
  }

  /** Ends the simulation. The first reason counts. */
  fail(cause: unknown): void {
    this.#failure ??= new SimulationFailure(this.seed, this.#nowMs, cause);
  }

  /**
   * Lets `ms` pass. After each event every promise reaction runs, however long the chain: a turn of the event loop costs
   * about a microsecond, as much as counting them would.
   *
   * Rejects with a {@link SimulationFailure}.
   */
  run(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    const { stackTraceLimit } = Error;
    // Thousands of expected errors a second, whose stacks nobody reads unless they are traced.
    if (this.#write === undefined) Error.stackTraceLimit = 0;
    return new Promise<void>((resolve, reject) => {
      const step = (): void => {
        this.#check();
        if (this.#failure !== undefined) return reject(this.#failure);
        if (!this.#happen(endMs)) return resolve();
        systemClock.afterPoll(step);
      };
      systemClock.afterPoll(step);
    }).finally(() => (Error.stackTraceLimit = stackTraceLimit));
  }

  #check(): void {
    try {
      for (const invariant of this.#invariants) invariant();
    } catch (error) {
      this.fail(error);
    }
  }

  // The next event up to the end; false when there is none.
  #happen(endMs: number): boolean {
    for (;;) {
      const { earliest } = this.#events;
      if (earliest === undefined || earliest.atMs > endMs) {
        this.#nowMs = endMs;
        return false;
      }
      this.#events.pop();
      if (earliest.run === undefined || earliest.actor?.dead) continue;
      this.#nowMs = earliest.atMs;
      if (earliest.actor?.paused) earliest.actor.defer(() => earliest.run?.());
      else this.#do(earliest.run);
      return true;
    }
  }

  #do(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(error);
    }
  }
}
