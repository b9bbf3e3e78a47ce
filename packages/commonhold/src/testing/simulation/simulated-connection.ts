import type { Unsubscribe } from '../../backend/bus.js';
import type { SimulatedServer } from './simulated-server.js';
import type { Actor, World } from './world.js';

/** What the way between a process and the server is like. Times are simulated milliseconds. */
export interface Network {
  readonly leastMs: number;
  mostMs: number;
  /** Probability that a reply is lost, and its connection with it. */
  lostReplies: number;
  /** While true nothing gets through, and nothing closes. */
  partitioned: boolean;
}

/** How long what was sent before a reset may still be read by the server. */
const longestEchoMs = 100;

/** A TCP connection: in each direction everything comes in order, until nothing comes any more. */
export class SimulatedConnection {
  readonly #world: World;
  readonly #server: SimulatedServer;
  readonly #network: Network;
  readonly #actor: Actor;
  readonly #onReset: () => void;
  readonly #refused: Unsubscribe;
  /** What waits for the end of a partition, in order. */
  #stuck: (() => void)[] = [];
  /** Until when the server reads; Infinity while the connection stands. */
  #readUntilMs = Infinity;
  #sentAtMs = 0;
  #receivedAtMs = 0;
  /** When something last came from the server. */
  heardAtMs: number;
  closed = false;

  constructor(world: World, server: SimulatedServer, network: Network, actor: Actor, onReset: () => void) {
    this.#world = world;
    this.#server = server;
    this.#network = network;
    this.#actor = actor;
    this.#onReset = onReset;
    this.heardAtMs = world.nowMs;
    this.#refused = server.accept(() => {
      this.#readUntilMs = 0;
      this.#reset();
    });
  }

  /** Has `run` called when what is sent now arrives at the server, if it does. */
  send(run: () => void): void {
    this.#sentAtMs = Math.max(this.#sentAtMs, this.#world.nowMs + this.#latencyMs());
    this.#world.after(this.#sentAtMs - this.#world.nowMs, () => this.#atServer(run));
  }

  /** Has `run` called when what the server sends now arrives at the process, if it does. */
  answer(run: () => void, mayBeLost: boolean): void {
    this.#receivedAtMs = Math.max(this.#receivedAtMs, this.#world.nowMs + this.#latencyMs());
    const lost = mayBeLost && this.#world.chance.happens(this.#network.lostReplies);
    const delayMs = this.#receivedAtMs - this.#world.nowMs;
    this.#world.after(delayMs, () => this.#atProcess(lost ? () => this.#reset() : run), this.#actor);
  }

  /** Gives it up; what was sent may still arrive at the server, for a moment or after a partition. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#refused();
    if (this.#readUntilMs === Infinity)
      this.#readUntilMs = this.#world.nowMs + this.#world.chance.between(0, longestEchoMs);
  }

  /** What waited gets through now. Of a connection that was given up meanwhile, a part may. */
  heal(): void {
    const stuck = this.#stuck;
    this.#stuck = [];
    const passed = this.closed ? this.#world.chance.whole(0, stuck.length) : stuck.length;
    if (this.closed && this.#readUntilMs > 0) this.#readUntilMs = this.#world.nowMs;
    for (const run of stuck.slice(0, passed)) run();
  }

  #atServer(run: () => void): void {
    if (this.#world.nowMs > this.#readUntilMs && !this.#network.partitioned) return;
    if (this.#network.partitioned) this.#stuck.push(() => this.#atServer(run));
    else if (this.#server.up && this.#readUntilMs > 0) run();
  }

  #atProcess(run: () => void): void {
    if (this.closed) return;
    if (this.#network.partitioned) return void this.#stuck.push(() => this.#atProcess(run));
    this.heardAtMs = this.#world.nowMs;
    run();
  }

  #reset(): void {
    if (this.closed) return;
    this.close();
    if (this.#actor.dead) return;
    // The process hears of it when it runs.
    this.#world.after(0, this.#onReset, this.#actor);
  }

  #latencyMs(): number {
    const { leastMs, mostMs } = this.#network;
    return this.#world.chance.between(leastMs, mostMs);
  }
}
