import type { Backend, BackendStatus, PortSet, Ports, StoreLoss } from '../../backend/backend.js';
import type { Unsubscribe } from '../../backend/bus.js';
import { plainPorts } from '../../backend/closed-ports.js';
import { unanswered } from '../../backend/redis/classify.js';
import { LossWatch } from '../../backend/redis/loss-watch.js';
import { nothingWaits } from '../../backend/nothing-waits.js';
import { StatusWatch } from '../../backend/status-watch.js';
import type { Stored } from '../../codec/stored.js';
import { UnavailableError } from '../../errors.js';
import type { Keys } from '../../keys.js';
import type { Log } from '../../log.js';
import { DistantBus } from '../distant-bus.js';
import { carriedPorts, deadlineMs, type PortCall, probeCall } from '../port-calls.js';
import { type Network, SimulatedConnection } from './simulated-connection.js';
import type { KnownPulse, PulseAnswer, SimulatedServer } from './simulated-server.js';
import type { Actor, World } from './world.js';

const firstRetryMs = 50;
const longestRetryMs = 2_000;
const pulseMs = 1_000;
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** One process's way to the server, held as DECISIONS K3 holds it: deadlines, the verdict on a hang, reconnecting. */
export class SimulatedLink implements Backend {
  readonly ports: Ports;
  readonly portFor: PortSet['portFor'];
  readonly closePorts: () => void;
  readonly bus: DistantBus;
  readonly remote = true;
  readonly spools: boolean = nothingWaits.spools;
  readonly onConflict: Backend['onConflict'] = nothingWaits.onConflict;
  readonly awayCounts: Backend['awayCounts'] = nothingWaits.awayCounts;
  readonly flush: Backend['flush'] = nothingWaits.flush;
  readonly rawClient = undefined;
  readonly network: Network;
  readonly #world: World;
  readonly #server: SimulatedServer;
  readonly #actor: Actor & { readonly id: string };
  readonly #status = new StatusWatch();
  readonly #losses = new LossWatch({ log: silent });
  /** Ends each call that has no answer. */
  readonly #pending = new Set<(why: string) => void>();
  #subscriptions: Unsubscribe[] = [];
  #connection: SimulatedConnection | undefined;
  #given: SimulatedConnection | undefined;
  /** Whether the present connection has given a pulse. */
  #ready = false;
  #pulse: KnownPulse | undefined;

  constructor(
    world: World,
    server: SimulatedServer,
    network: Network,
    actor: Actor & { readonly id: string },
    keys: Keys,
  ) {
    this.#world = world;
    this.#server = server;
    this.network = network;
    this.#actor = actor;
    ({ ports: this.ports, portFor: this.portFor, closePorts: this.closePorts } = this.portsFor(keys));
    this.bus = new DistantBus((channel) => this.#subscribe(channel));
    if (server.up && !network.partitioned) this.#begin();
    else this.#retry(firstRetryMs);
  }

  portsFor(keys: Keys): PortSet {
    return plainPorts(carriedPorts((call) => this.#carry(call, keys)));
  }

  status(): BackendStatus {
    if (this.#ready) return { kind: 'redis', connected: true, version: 'simulated' };
    return { kind: 'redis', connected: false, reason: 'the simulated server cannot be reached' };
  }

  onStatusChange(listener: () => void): Unsubscribe {
    return this.#status.on(listener);
  }

  onLoss(listener: (loss: StoreLoss) => void): Unsubscribe {
    return this.#losses.on(listener);
  }

  async probe(): Promise<void> {
    if (!this.#ready) throw new UnavailableError(probeCall.operation.name, 'no connection');
    await this.#call(deadlineMs.state, probeCall, async () => undefined);
  }

  async close(): Promise<void> {
    this.#connection?.close();
  }

  /** Cuts the connection, of which the process hears when it runs. */
  reset(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.close();
    this.#world.after(0, () => this.#gone(connection, 'the connection was reset'), this.#actor);
  }

  /** What becomes of it when its process dies, which hears of nothing. */
  abandon(): void {
    this.#connection?.close();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /** Ends a partition. */
  heal(): void {
    this.network.partitioned = false;
    this.#given?.heal();
    this.#connection?.heal();
  }

  #carry(call: PortCall, keys: Keys): Promise<unknown> {
    if (!this.#ready) return Promise.reject(new UnavailableError(call.operation.name, 'no connection'));
    return this.#call(deadlineMs[call.operation.deadline], call, () => this.#server.run(call, keys, this.#actor.id));
  }

  #call(withinMs: number, { operation }: PortCall, run: () => Promise<unknown>): Promise<unknown> {
    const connection = this.#connection;
    if (connection === undefined) return Promise.reject(new UnavailableError(operation.name, 'no connection'));
    const sentAtMs = this.#world.nowMs;
    return new Promise((resolve, reject) => {
      const end = (why: string): void => settle(() => reject(unanswered(operation, why)));
      const settle = (how: () => void): void => {
        if (!this.#pending.delete(end)) return;
        deadline.cancel();
        how();
      };
      const late = (): void => {
        end(`no answer within ${withinMs} ms`);
        if (connection.heardAtMs < sentAtMs && connection === this.#connection) this.#lose('it hangs');
      };
      const deadline = this.#world.after(withinMs, late, this.#actor);
      this.#pending.add(end);
      connection.send(() => {
        const answer = (how: () => void): void => connection.answer(() => settle(how), true);
        run().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  #connect(): void {
    const connection = new SimulatedConnection(this.#world, this.#server, this.network, this.#actor, () =>
      this.#gone(connection, 'the server closed the connection'),
    );
    this.#connection = connection;
    for (const channel of this.bus.channels) this.#ask(connection, channel, () => undefined);
  }

  // A process that starts has nothing to be told of.
  #begin(): void {
    this.#connect();
    this.#ready = true;
    void this.#keepPulse();
  }

  // Nothing is sent on a connection before it was seen what its server has.
  async #greet(): Promise<void> {
    const connection = this.#connection;
    const answer = await this.#givePulse();
    if (connection !== this.#connection) return;
    if (answer === undefined) return this.#lose('it gives no pulse');
    this.#ready = true;
    this.#world.trace(() => `${this.#actor.id} is connected again${answer.loss ? `, to less: ${answer.loss}` : ''}`);
    if (answer.loss === undefined) this.bus.restored();
    else this.#losses.tell({ kind: answer.loss, node: 'simulated' }, this.bus);
    this.#status.changed();
    this.#pulseLater(connection);
  }

  async #keepPulse(): Promise<void> {
    const connection = this.#connection;
    const answer = await this.#givePulse();
    if (connection !== this.#connection) return;
    if (answer?.loss !== undefined) this.#losses.tell({ kind: answer.loss, node: 'simulated' }, this.bus);
    this.#pulseLater(connection);
  }

  #pulseLater(connection: SimulatedConnection | undefined): void {
    this.#world.after(pulseMs, () => connection === this.#connection && void this.#keepPulse(), this.#actor);
  }

  // Undefined without an answer.
  async #givePulse(): Promise<PulseAnswer | undefined> {
    const known = this.#pulse;
    const look = async (): Promise<PulseAnswer> => this.#server.pulse(known);
    const answer = (await this.#call(deadlineMs.state, probeCall, look).catch(() => undefined)) as
      | PulseAnswer
      | undefined;
    this.#pulse = answer?.known ?? known;
    return answer;
  }

  #lose(why: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.close();
    this.#gone(connection, why);
  }

  #gone(connection: SimulatedConnection, why: string): void {
    if (connection !== this.#connection) return;
    this.#world.trace(() => `${this.#actor.id} loses its connection: ${why}`);
    this.#connection = undefined;
    this.#ready = false;
    this.#given = connection;
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#subscriptions = [];
    this.bus.broken();
    for (const end of [...this.#pending]) end(why);
    this.#status.changed();
    this.#retry(firstRetryMs);
  }

  #retry(delayMs: number): void {
    const inMs = this.#world.chance.between(firstRetryMs / 2, delayMs);
    this.#world.after(inMs, () => this.#tryAgain(delayMs), this.#actor);
  }

  #tryAgain(delayMs: number): void {
    if (!this.#server.up || this.network.partitioned) return this.#retry(Math.min(2 * delayMs, longestRetryMs));
    this.#connect();
    void this.#greet();
  }

  #subscribe(channel: string): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#pending.delete(done);
        resolve();
      };
      this.#pending.add(done);
      this.#ask(connection, channel, done);
    });
  }

  #ask(connection: SimulatedConnection, channel: string, done: () => void): void {
    connection.send(() => void this.#askNow(connection, channel, done));
  }

  async #askNow(connection: SimulatedConnection, channel: string, done: () => void): Promise<void> {
    const hear = (message: Stored): void => connection.answer(() => this.bus.hear(channel, message), false);
    const unsubscribe = await this.#server.subscribe(channel, hear);
    if (connection === this.#connection) this.#subscriptions.push(unsubscribe);
    else unsubscribe();
    connection.answer(done, false);
  }
}
