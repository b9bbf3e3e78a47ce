import { type Clock, sleep, type Timer } from '../../clock.js';
import { ClosedError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import { jittered, type Random } from '../../random.js';
import { connectFailure, isTryAgain, passingRefusal, redirection } from './classify.js';
import { ClusterBus } from './cluster-bus.js';
import { ClusterNodes, type ClusterOptions } from './cluster-nodes.js';
import { type ClusterTopology, nodeAddress, parseTopology, servedSlots } from './cluster-topology.js';
import { Deadlines } from './deadlines.js';
import { MasterKeys } from './master-keys.js';
import { ParkedCalls } from './parked-calls.js';
import type { RedisConnection } from './redis-connection.js';
import type { Redirector } from './redis-wire.js';
import { slotCount, slotOf } from './slot.js';
import { SlotTable } from './slot-table.js';
import type { WireCall } from './wire-call.js';

const looking: NamedOperation = { name: 'cluster.look', kind: 'read', away: 'refuse', deadline: 'state' };
/** How often the cluster is looked at while all is well. */
const lookEveryMs = 5_000;
/** How many nodes are believed together that a part of the slots has no master. */
const witnesses = 3;
/** How soon it is looked at when nodes change: after 20 ms, and then ever more rarely, so that no storm comes of it. */
const lookSoonMs = 20;
const longestGapMs = 250;
/** As above, when a slot moved and the call has told where to. */
const lookForMovedMs = 1_000;
/** After such a time without a look a change is a new one. */
const calmMs = 2_000;
const longestStepMs = 1_000;
/** Redirections that a call follows at once; more of them come from nodes that disagree, and wait for these. */
const mostHops = 4;
/** So shortly before its deadline a call is not tried again: that it did not run is certain, and stays so. */
const lastTryMs = 30;
const drainEveryMs = 10;

/** What a node said that did not run a call: why, and which node may; `moved` when that one has the slot for good. */
interface Refused {
  readonly refusal: string;
  readonly target: RedisConnection | undefined;
  readonly moved: boolean;
}

/**
 * Knows which node serves which slot, and finds the place of calls that were sent to another one. The picture comes from
 * CLUSTER SLOTS, asked of the nodes in turn: at the start, every few seconds, and whenever a node is lost or says that it
 * knows better.
 */
export class ClusterRouter {
  readonly bus: ClusterBus;
  readonly nodes: ClusterNodes;
  readonly table: SlotTable<RedisConnection> = new SlotTable();
  /** Where each master is asked to prove itself. */
  readonly epochKeys: MasterKeys<RedisConnection>;
  readonly #clock: Clock;
  readonly #onStatusChange: () => void;
  readonly #random: Random;
  readonly #deadlines: Deadlines;
  readonly #parked: ParkedCalls;
  readonly #longestCallMs: number;
  #home: RedisConnection | undefined;
  #looking: Promise<void> | undefined;
  #looks = 0;
  #failure = 'not connected yet';
  #timer: Timer | undefined;
  #dueAtMs = Infinity;
  #lookedAtMs = -Infinity;
  #gapMs = lookSoonMs;
  #closed = false;

  constructor(options: ClusterOptions, onStatusChange: () => void = () => undefined) {
    this.#onStatusChange = onStatusChange;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#longestCallMs = Math.max(options.deadlineMs.state, options.deadlineMs.cache);
    this.bus = new ClusterBus(options.log);
    this.#deadlines = new Deadlines(options.clock, (elapsedMs) => this.#sweep(elapsedMs));
    this.#parked = new ParkedCalls(options.clock, (call) => this.#resend(call));
    this.epochKeys = new MasterKeys(this.table, (number) => options.epochs.key(number));
    this.nodes = new ClusterNodes(options, {
      redirector: (host) => this.#redirector(host),
      pulse: { epochs: options.epochs, keyFor: (address) => this.#epochKey(address) },
      onChange: () => this.#nodeChanged(),
    });
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
      if (!this.#closed) this.#onStatusChange();
      this.#dueAtMs = Infinity;
      this.#noteLook();
      this.#lookIn(jittered(this.#random, this.whole ? lookEveryMs : this.#gapMs));
    });
    return this.#looking;
  }

  async close(atOnce: boolean = false): Promise<void> {
    this.#timer?.cancel();
    if (!atOnce) await this.#drain();
    await this.nodes.close(atOnce);
    this.#closed = true;
    this.#timer?.cancel();
    for (const call of this.#parked.close()) call.refuse(new ClosedError('This state'));
    this.#deadlines.close();
  }

  // A node that left the cluster knows of no slots, or of those of another cluster: masters are asked before others, and a
  // picture with gaps is believed only where no node has a better one.
  async #look(): Promise<void> {
    let best: ClusterTopology | undefined;
    let gaps = 0;
    for (const node of this.#nodesToAsk()) {
      try {
        const reply = await node.wire.command(looking, ['CLUSTER', 'SLOTS']);
        const topology = parseTopology(reply, node.host);
        if (best === undefined || servedSlots(topology) > servedSlots(best)) best = topology;
        if (servedSlots(topology) === slotCount || ++gaps === witnesses) break;
      } catch (error) {
        this.#failure = connectFailure(error);
      }
    }
    if (this.#closed) return;
    try {
      if (best !== undefined && best.ranges.length > 0) await this.#install(best);
      else await this.nodes.openSeeds();
    } catch (error) {
      this.#failure = connectFailure(error);
    }
  }

  #nodesToAsk(): RedisConnection[] {
    const owners = [...this.table.owners()];
    const first = this.#looks++ % Math.max(1, owners.length);
    const turned = [...owners.slice(first), ...owners.slice(0, first)];
    return [...new Set([...turned, ...this.nodes.all()])].filter((node) => node.ready);
  }

  async #install(topology: ClusterTopology): Promise<void> {
    const addresses = new Set(topology.ranges.map(({ address }) => address));
    await this.nodes.open(addresses);
    const known = this.table.owners().size > 0;
    const changed = this.table.install(topology, (address) => this.nodes.at(address));
    this.nodes.retire(addresses);
    this.#failure = '';
    this.#settleHome();
    for (const node of this.table.owners()) node.beginPulse();
    // A master that died may have published to nobody what it had written.
    if (changed && known) this.bus.restored();
  }

  #noteLook(): void {
    const nowMs = this.#clock.monotonic();
    const calm = nowMs - this.#lookedAtMs > calmMs;
    this.#gapMs = calm ? lookSoonMs : Math.min(longestGapMs, 2 * this.#gapMs);
    this.#lookedAtMs = nowMs;
  }

  #lookSoon(): void {
    const sinceMs = this.#clock.monotonic() - this.#lookedAtMs;
    this.#lookIn(Math.max(lookSoonMs, this.#gapMs - sinceMs));
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
    this.#lookSoon();
    if (!this.#closed) this.#onStatusChange();
  }

  #settleHome(): void {
    const owners = this.table.owners();
    if (this.#home?.ready && owners.has(this.#home)) return;
    const ready = [...owners].filter((node) => node.ready);
    // Any will do; were it the first, every process would listen on the same one.
    const home = ready[Math.floor(this.#random.number() * ready.length)];
    if (home === undefined) return;
    this.#home = home;
    void this.bus.moveTo(home.bus);
  }

  #epochKey(address: string): string | undefined {
    const node = this.nodes.at(address);
    return node && this.epochKeys.of(node);
  }

  #redirector(host: string): Redirector {
    return { deadlines: this.#deadlines, redirect: (call, error) => this.#redirect(call, error, host) };
  }

  #redirect(call: WireCall, error: unknown, askedHost: string): boolean {
    const refused = this.heed(error, askedHost);
    if (refused === undefined || this.#closed) return false;
    const { refusal, target, moved } = refused;
    call.refusal = refusal;
    call.tries++;
    if (call.settled) return true;
    if (!target?.ready || call.tries > mostHops) return this.#parked.add(call);
    target.wire.take(call, !moved);
    return true;
  }

  /** Learns from a node at `askedHost` that refused a call; undefined when `error` is no such refusal. */
  heed(error: unknown, askedHost: string): Refused | undefined {
    const to = redirection(error);
    const refusal = to === undefined ? passingRefusal(error) : 'the slot is moving';
    if (refusal === undefined) return undefined;
    const target = to && this.nodes.at(nodeAddress({ host: to.host || askedHost, port: to.port }));
    if (to?.moved && target !== undefined) this.table.move(to.slot, target);
    // A slot that is moving is no news; the end of it is.
    if (to?.moved && target?.ready) this.#lookIn(jittered(this.#random, lookForMovedMs));
    else if (to?.moved || (to === undefined && !isTryAgain(error))) this.#lookSoon();
    return { refusal, target, moved: to?.moved ?? false };
  }

  #resend(call: WireCall): void {
    const node = this.table.at(slotOf(call.key));
    const worthwhile = call.dueAtMs - this.#clock.monotonic() > lastTryMs;
    if (node?.ready && worthwhile) node.wire.take(call, false);
    else if (!this.#parked.add(call)) call.expire();
  }

  // A call goes from node to node, and waits in between, until its deadline at the latest.
  async #drain(): Promise<void> {
    const untilMs = this.#clock.monotonic() + this.#longestCallMs;
    const busy = (): boolean => !this.#parked.empty || this.nodes.all().some((node) => node.wire.busy);
    for (;;) {
      await Promise.all(this.nodes.all().map((node) => node.wire.drain()));
      if (!busy() || this.#clock.monotonic() >= untilMs) return;
      await sleep(this.#clock, drainEveryMs, undefined, { keepAlive: true });
    }
  }

  #sweep(elapsedMs: number): boolean {
    return this.nodes.all().filter((node) => node.wire.sweep(elapsedMs)).length > 0;
  }
}
