import type { Clock, Timer } from '../../clock.js';
import { ClosedError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import { jittered, type Random } from '../../random.js';
import { connectFailure, isTryAgain, passingRefusal, redirection } from './classify.js';
import { ClusterBus } from './cluster-bus.js';
import { ClusterNodes, type ClusterOptions } from './cluster-nodes.js';
import { nodeAddress, parseTopology } from './cluster-topology.js';
import { Deadlines } from './deadlines.js';
import { ParkedCalls } from './parked-calls.js';
import type { RedisConnection } from './redis-connection.js';
import type { Redirector } from './redis-wire.js';
import { slotOf } from './slot.js';
import { SlotTable } from './slot-table.js';
import type { WireCall } from './wire-call.js';

const looking: NamedOperation = { name: 'cluster.look', kind: 'read', away: 'refuse', deadline: 'state' };
/** How often the cluster is looked at while all is well, while something is missing, and after a hint of a change. */
const lookEveryMs = 5_000;
const lookAgainMs = 100;
const lookSoonMs = 20;
const longestStepMs = 1_000;
/** Redirections that a call follows at once; more of them come from nodes that disagree, and wait for these. */
const mostHops = 4;
/** So shortly before its deadline a call is not tried again: that it did not run is certain, and stays so. */
const lastTryMs = 30;

/**
 * Knows which node serves which slot, and finds the place of calls that were sent to another one. The picture comes from
 * CLUSTER SLOTS, asked of the nodes in turn: at the start, every few seconds, and whenever a node is lost or says that it
 * knows better.
 */
export class ClusterRouter {
  readonly bus: ClusterBus;
  readonly nodes: ClusterNodes;
  readonly table: SlotTable<RedisConnection> = new SlotTable();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #deadlines: Deadlines;
  readonly #parked: ParkedCalls;
  #home: RedisConnection | undefined;
  #looking: Promise<void> | undefined;
  #looks = 0;
  #failure = 'not connected yet';
  #timer: Timer | undefined;
  #dueAtMs = Infinity;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.bus = new ClusterBus(options.log);
    this.#deadlines = new Deadlines(options.clock, (elapsedMs) => this.#sweep(elapsedMs));
    this.#parked = new ParkedCalls(options.clock, (call) => this.#resend(call));
    this.nodes = new ClusterNodes(
      options,
      (host) => this.#redirector(host),
      () => this.#nodeChanged(),
    );
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Why the cluster could not be looked at, if it could not. */
  get failure(): string {
    return this.#failure;
  }

  /** Every slot has a node that can be reached. */
  get whole(): boolean {
    return !this.table.hasGap && [...this.table.owners()].every((node) => node.ready);
  }

  /** Connects to the seeds, and to every master that they name; resolves after the first attempts. */
  async start(): Promise<void> {
    await this.nodes.openSeeds();
    await this.refresh();
  }

  /** Looks at the cluster anew, or waits for the look that is under way. */
  refresh(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      this.#dueAtMs = Infinity;
      this.#lookIn(this.whole ? jittered(this.#random, lookEveryMs) : lookAgainMs);
    });
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.nodes.close();
    this.#closed = true;
    this.#timer?.cancel();
    for (const call of this.#parked.close()) call.refuse(new ClosedError('This state'));
    this.#deadlines.close();
  }

  async #look(): Promise<void> {
    const ready = this.nodes.all().filter((node) => node.ready);
    const first = this.#looks++ % Math.max(1, ready.length);
    for (const node of [...ready.slice(first), ...ready.slice(0, first)]) {
      try {
        return await this.#install(await node.wire.command(looking, ['CLUSTER', 'SLOTS']), node);
      } catch (error) {
        this.#failure = connectFailure(error);
      }
    }
    if (!this.#closed) await this.nodes.openSeeds().catch(() => undefined);
  }

  async #install(reply: unknown, asked: RedisConnection): Promise<void> {
    const topology = parseTopology(reply, asked.host);
    const addresses = new Set(topology.ranges.map(({ address }) => address));
    await this.nodes.open(addresses);
    const known = this.table.owners().size > 0;
    const changed = this.table.install(topology, (address) => this.nodes.at(address));
    this.nodes.retire(addresses);
    this.#failure = '';
    this.#settleHome();
    // A master that died may have published to nobody what it had written.
    if (changed && known) this.bus.restored();
  }

  #lookIn(delayMs: number): void {
    const dueAtMs = this.#clock.monotonic() + delayMs;
    if (this.#closed || dueAtMs >= this.#dueAtMs) return;
    this.#dueAtMs = dueAtMs;
    this.#arm();
  }

  // In steps, as the watch for idle connections goes: a cluster changes in real time, also where a test moves time.
  #arm(): void {
    this.#timer?.cancel();
    const delayMs = Math.min(longestStepMs, Math.max(0, this.#dueAtMs - this.#clock.monotonic()));
    this.#timer = this.#clock.setTimer(() => {
      if (this.#clock.monotonic() < this.#dueAtMs) this.#arm();
      else void this.refresh();
    }, delayMs);
  }

  #nodeChanged(): void {
    this.#settleHome();
    this.#lookIn(lookSoonMs);
  }

  #settleHome(): void {
    const owners = this.table.owners();
    if (this.#home?.ready && owners.has(this.#home)) return;
    const home = [...owners].find((node) => node.ready);
    if (home === undefined) return;
    this.#home = home;
    void this.bus.moveTo(home.bus);
  }

  #redirector(host: string): Redirector {
    return { deadlines: this.#deadlines, redirect: (call, error) => this.#redirect(call, error, host) };
  }

  #redirect(call: WireCall, error: unknown, askedHost: string): boolean {
    const to = redirection(error);
    const refusal = to === undefined ? passingRefusal(error) : 'the slot is moving';
    if (refusal === undefined || this.#closed) return false;
    call.refusal = refusal;
    call.redirects++;
    const target = to && this.nodes.at(nodeAddress({ host: to.host || askedHost, port: to.port }));
    if (to?.moved && target !== undefined) this.table.move(to.slot, target);
    // A slot that is moving is no news; the end of it is.
    if (to?.moved || (to === undefined && !isTryAgain(error))) this.#lookIn(lookSoonMs);
    if (call.settled) return true;
    if (to === undefined || !target?.ready || call.redirects > mostHops) return this.#parked.add(call);
    target.wire.take(call, !to.moved);
    return true;
  }

  #resend(call: WireCall): void {
    const node = this.table.at(slotOf(call.key));
    const worthwhile = call.dueAtMs - this.#clock.monotonic() > lastTryMs;
    if (node?.ready && worthwhile) node.wire.take(call, false);
    else if (!this.#parked.add(call)) call.expire();
  }

  #sweep(elapsedMs: number): boolean {
    return this.nodes.all().filter((node) => node.wire.sweep(elapsedMs)).length > 0;
  }
}
