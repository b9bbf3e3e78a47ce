import type { StoreLossKind } from '../../backend/backend.js';
import type { Unsubscribe } from '../../backend/bus.js';
import type { Clock } from '../../clock.js';
import type { Stored } from '../../codec/stored.js';
import type { Keys } from '../../keys.js';
import type { PortCall } from '../port-calls.js';
import { type Planting, RecordedStore } from '../recorded-store.js';
import type { World } from './world.js';

/** A call that was executed, with what became of it. */
export interface ExecutedCall extends PortCall {
  readonly reply: unknown;
  readonly failed: boolean;
  /** The incarnation of the process that called. */
  readonly caller: string;
}

/** What a process knows from its last pulse. */
export interface KnownPulse {
  /** How many calls the server had done. */
  readonly calls: number;
  /** How often it had lost data. */
  readonly losses: number;
  /** The number of its epoch. */
  readonly epoch: number;
}

/** The answer to a pulse. */
export interface PulseAnswer {
  readonly known: KnownPulse;
  /** What was lost since the one before. */
  readonly loss: StoreLossKind | undefined;
}

/** How the server comes back from a crash. */
export interface ServerCrash {
  readonly downMs: number;
  /** How many of its last writes are lost; Infinity for all. */
  readonly lostWrites: number;
  /** By how much the clock of what comes back differs from before, as that of another machine does. */
  readonly clockStepMs?: number;
}

/** The start of 2026, UTC. */
const startMs = Date.UTC(2026, 0, 1);

/** The store of a simulation, as a Redis is to processes: over there, and apt to crash. */
export class SimulatedServer {
  readonly #world: World;
  readonly #recorded: RecordedStore;
  readonly #connections = new Set<() => void>();
  readonly #observers: ((call: ExecutedCall) => void)[] = [];
  readonly #losses: ((lost: readonly PortCall[]) => void)[] = [];
  /** How many calls were left, each time that it lost some. */
  readonly #left: number[] = [];
  /** Whoever notices a loss begins a new epoch, by which all others notice. */
  #epoch = 0;
  #clockAheadMs = 0;
  #up = true;

  constructor(world: World, plant?: Planting) {
    this.#world = world;
    const clock: Clock = {
      now: () => Math.floor(startMs + world.nowMs + this.#clockAheadMs),
      monotonic: () => world.nowMs,
      setTimer: (callback, delayMs) => world.after(delayMs, callback),
      afterPoll: (callback) => void world.after(0, callback),
    };
    this.#recorded = new RecordedStore({ clock }, plant);
  }

  get up(): boolean {
    return this.#up;
  }

  /** Milliseconds since 1970 by its clock. */
  now(): number {
    return this.#recorded.store.now();
  }

  /** Hears of each call right after it was executed. */
  observe(observer: (call: ExecutedCall) => void): void {
    this.#observers.push(observer);
  }

  /** Hears which calls were lost. */
  onLoss(listener: (lost: readonly PortCall[]) => void): void {
    this.#losses.push(listener);
  }

  async run(call: PortCall, keys: Keys, caller: string): Promise<unknown> {
    try {
      const reply = await this.#recorded.run(call, keys);
      this.#executed({ ...call, reply, failed: false, caller });
      return reply;
    } catch (error) {
      this.#executed({ ...call, reply: error, failed: true, caller });
      throw error;
    }
  }

  /** What a pulse shows to a process that knows of an earlier one of its own. */
  pulse(known: KnownPulse | undefined): PulseAnswer {
    const loss = known === undefined ? undefined : this.#lossSince(known);
    return { known: { calls: this.#recorded.calls, losses: this.#left.length, epoch: this.#epoch }, loss };
  }

  subscribe(channel: string, listener: (message: Stored) => void): Promise<Unsubscribe> {
    return this.#recorded.store.bus.subscribe(channel, listener);
  }

  /** Calls `reset` when the server dies. */
  accept(reset: () => void): Unsubscribe {
    this.#connections.add(reset);
    return () => void this.#connections.delete(reset);
  }

  /** Dies now, and comes back later. */
  crash({ downMs, lostWrites, clockStepMs = 0 }: ServerCrash): void {
    if (!this.#up) return;
    this.#up = false;
    this.#world.trace(() => `server dies for ${downMs.toFixed(0)} ms and loses ${lostWrites} writes`);
    for (const reset of [...this.#connections]) reset();
    this.#world.after(downMs, () => this.#start(lostWrites, clockStepMs));
  }

  #lossSince({ calls, losses, epoch }: KnownPulse): StoreLossKind | undefined {
    const left = Math.min(...this.#left.slice(losses));
    const ownIsLost = left === 0 || left < calls;
    if (!ownIsLost && epoch === this.#epoch) return undefined;
    if (epoch === this.#epoch) this.#epoch++;
    return left === 0 ? 'empty' : 'rolledBack';
  }

  #start(lostWrites: number, clockStepMs: number): void {
    if (lostWrites > 0) {
      const lost = this.#recorded.lose(lostWrites);
      this.#left.push(this.#recorded.calls);
      for (const listener of this.#losses) listener(lost);
    }
    this.#clockAheadMs += clockStepMs;
    this.#up = true;
    this.#world.trace(() => 'server is back');
  }

  #executed(call: ExecutedCall): void {
    this.#world.trace(() => `server ${call.caller} ${call.operation.name}${text(call.args)} -> ${text(call.reply)}`);
    for (const observer of this.#observers) observer(call);
  }
}

const longestText = 300;

function text(value: unknown): string {
  const all = value instanceof Error ? value.message : (JSON.stringify(value) ?? 'undefined');
  return all.length > longestText ? `${all.slice(0, longestText)}...` : all;
}
