import { sleep, type Clock, type Timer } from '../../clock.js';
import { ClosedError, type CommonholdError, UnavailableError } from '../../errors.js';
import { logWith, type Log } from '../../log.js';
import type { NamedOperation } from '../../operation.js';
import type { BackendStatus, StoreLoss, StoreLossKind } from '../backend.js';
import { servedBy } from '../status-watch.js';
import { ClusterBus } from './cluster-bus.js';
import { type Epochs, pulsing } from './epochs.js';
import { MovingWire } from './moving-wire.js';
import { nodeAddress } from './cluster-topology.js';
import type { RedisEndpoint } from './redis-client.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import type { RedisWire } from './redis-wire.js';
import { StateHome } from './state-home.js';

/** Which servers to use, the best first. */
export interface FallbackOptions extends Omit<
  RedisConnectionOptions,
  'endpoint' | 'inCluster' | 'redirector' | 'onChange' | 'pulse' | 'onLoss'
> {
  readonly endpoints: readonly [RedisEndpoint, ...RedisEndpoint[]];
  /** How long a better server must have been ready before it is turned back to. */
  readonly failBackMs: number;
  /** Makes those of one server, whose losses are judged by others while it is not in use. */
  readonly epochs: (judge: () => Epochs) => Epochs;
  /** Called when the server in use turned out to have lost data. */
  readonly onLoss: (loss: StoreLoss) => void;
}

/** One of the servers. */
interface Candidate {
  /** `primary` or `fallback 1`. */
  readonly name: string;
  readonly endpoint: RedisEndpoint;
  /** Undefined until it is needed. */
  connection: RedisConnection | undefined;
  opening: Promise<void> | undefined;
  /** Monotonic; undefined while it is not ready. */
  readySinceMs: number | undefined;
  readonly epochs: Epochs;
  /** Found while it was not in use. */
  loss: StoreLossKind | undefined;
}

const lookEveryMs = 1_000;
/** The history of a server gets a new id when its first replica comes, and when none has been there for an hour. */
const looksPerReading = 5;
/** So long a server that was lost is waited for: a connection that was cut is back sooner. */
const graceMs = 200;

/**
 * The first of several servers that can be reached. Calls, scripts and subscriptions move together. One is in use at a time:
 *
 * - it is left for the next one that is ready as soon as its connection is lost;
 * - it is left for a better one that has been ready for a while, unless that one lacks what this one was given to keep.
 *
 * A server is connected to when all better ones are away, and left alone again when one of them is back.
 */
export class FallbackConnection {
  readonly bus: ClusterBus;
  /** For what any server may serve. */
  readonly wire: RedisWire;
  /** For what only a server may serve that has all that was written. */
  readonly stateWire: RedisWire;
  readonly #options: FallbackOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onStatusChange: () => void;
  readonly #candidates: readonly Candidate[];
  readonly #home = new StateHome();
  #current: Candidate | undefined;
  #settling: Promise<void> | undefined;
  /** Ends the wait for a server that was lost. */
  #back = new AbortController();
  #timer: Timer | undefined;
  #looks = 0;
  #moves = 0;
  #closed = false;

  /** Resolves when one of them is ready, or each was tried once. */
  static async open(options: FallbackOptions, onStatusChange: () => void): Promise<FallbackConnection> {
    const connection = new FallbackConnection(options, onStatusChange);
    await connection.#settle();
    connection.#arm();
    return connection;
  }

  private constructor(options: FallbackOptions, onStatusChange: () => void) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onStatusChange = onStatusChange;
    this.bus = new ClusterBus(options.log);
    this.#candidates = options.endpoints.map((endpoint, index) => ({
      name: index === 0 ? 'primary' : `fallback ${index}`,
      endpoint,
      connection: undefined,
      opening: undefined,
      readySinceMs: undefined,
      epochs: options.epochs(() => this.#epochsFor(index)),
      loss: undefined,
    }));
    const moves = (): number => this.#moves;
    this.wire = new MovingWire({
      moves,
      wire: () => this.#current?.connection?.wire,
      refusal: (operation) => this.#refusal(operation),
    });
    this.stateWire = new MovingWire({
      moves,
      wire: () => (this.#servesAll ? this.#current?.connection?.wire : undefined),
      refusal: (operation) => this.#refusal(operation),
    });
  }

  /** The raw client of the server in use; undefined while there is none. */
  get client(): unknown {
    return this.#current?.connection?.client;
  }

  /** What is known of the server in use; never waits. One that serves only a part counts as away. */
  status(): BackendStatus {
    const { name: endpoint, connection } = this.#current ?? {};
    if (endpoint === undefined || connection === undefined) {
      return { kind: 'redis', connected: false, reason: this.#awayReason };
    }
    const status = connection.status();
    if (!status.connected || this.#servesAll) return servedBy(endpoint, status);
    return { kind: 'redis', connected: false, reason: this.#partReason, endpoint };
  }

  /** Gives a pulse; rejects as any call does that only a server with all data may serve. */
  probe(): Promise<void> {
    const { connection } = this.#current ?? {};
    return connection !== undefined && this.#servesAll ? connection.probe() : Promise.reject(this.#refusal(pulsing));
  }

  /** Lets calls in flight end, within the deadline for state or not at all, and disconnects. */
  async close(atOnce: boolean = false): Promise<void> {
    this.#timer?.cancel();
    await this.#current?.connection?.close(atOnce);
    this.#closed = true;
    this.#back.abort();
    await this.#settling;
    const open = this.#candidates.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));
    await Promise.all(open.map((connection) => connection.close(true)));
  }

  get #servesAll(): boolean {
    return this.#current !== undefined && this.#current.name === this.#home.name;
  }

  /** The server that has the state. */
  get #keeper(): Candidate {
    return this.#candidates.find(({ name }) => name === this.#home.name) as Candidate;
  }

  get #awayReason(): string {
    if (this.#closed) return 'the state is closed';
    return this.#candidates.map(({ name, connection }) => `${name}: ${uselessness(connection)}`).join('; ');
  }

  get #partReason(): string {
    const { name = '' } = this.#current ?? {};
    return (
      `${this.#home.name} is away, and ${name} is no promoted replica of it: ` +
      `${name} serves caches, rate limits, counters, unique sets and presence alone`
    );
  }

  #refusal(operation: NamedOperation): CommonholdError {
    if (this.#closed) return new ClosedError('This state');
    const reason = this.#current === undefined ? this.#awayReason : this.#partReason;
    return new UnavailableError(operation.name, reason);
  }

  // Those who watch hear of what came of it, so that a move that takes a moment is no outage.
  #settle(): Promise<void> {
    this.#settling ??= this.#settleNow().finally(() => {
      this.#settling = undefined;
      if (this.#closed) return;
      this.#onStatusChange();
      // One that came after the others were looked at.
      if (!this.#isReady(this.#current) && this.#candidates.some((one) => this.#isReady(one))) void this.#settle();
    });
    return this.#settling;
  }

  async #settleNow(): Promise<void> {
    this.#back = new AbortController();
    if (this.#current !== undefined) await sleep(this.#clock, graceMs, this.#back.signal, { keepAlive: true });
    for (const candidate of this.#candidates) {
      if (this.#closed || this.#isReady(this.#current)) return;
      candidate.opening ??= this.#open(candidate);
      await candidate.opening;
      const ready = this.#candidates.find((one) => this.#isReady(one));
      if (ready !== undefined && !this.#isReady(this.#current)) return this.#moveTo(ready);
    }
    this.#current = undefined;
  }

  async #open(candidate: Candidate): Promise<void> {
    const { endpoints: _, failBackMs: __, epochs: ___, onLoss: ____, ...shared } = this.#options;
    const { name, endpoint, epochs } = candidate;
    candidate.connection = await RedisConnection.open({
      ...shared,
      endpoint,
      log: logWith(this.#log, { endpoint: name }),
      pulse: { epochs, keyFor: () => epochs.key(0) },
      onChange: () => this.#changed(candidate),
      onLoss: (kind) => this.#lose(candidate, kind),
    });
    this.#changed(candidate);
  }

  #isReady(candidate: Candidate | undefined): boolean {
    const { connection } = candidate ?? {};
    // Of one in a cluster the slots may be with others.
    return connection?.ready === true && !connection.clustered && connection.facts.role !== 'slave';
  }

  #changed(candidate: Candidate): void {
    const { connection, name } = candidate;
    if (connection === undefined || this.#closed) return;
    if (!this.#isReady(candidate)) {
      candidate.readySinceMs = undefined;
      // It may come back as the replica of another.
      if (candidate !== this.#keeper) candidate.loss = undefined;
    } else {
      candidate.readySinceMs ??= this.#clock.monotonic();
      this.#home.met(name, connection.facts, candidate === this.#current);
      this.#back.abort();
    }
    if (!this.#isReady(this.#current)) void this.#settle();
    else if (candidate === this.#current) this.#onStatusChange();
  }

  #moveTo(candidate: Candidate): void {
    const { connection, name } = candidate;
    if (connection === undefined) return;
    const before = this.#current;
    this.#current = candidate;
    this.#moves++;
    this.#home.met(name, connection.facts, true);
    // Before anybody else is served by it.
    if (candidate.loss !== undefined) this.#lose(candidate, candidate.loss);
    void this.bus.moveTo(connection.bus);
    if (before === undefined && this.#moves === 1 && name === 'primary') return;
    this.#log.warn({ endpoint: name, servesAll: this.#servesAll }, 'another Redis is in use now');
  }

  #lose(candidate: Candidate, kind: StoreLossKind): void {
    const inUse = candidate === this.#current;
    candidate.loss = inUse ? undefined : kind;
    if (inUse) this.#options.onLoss({ kind, node: nodeAddress(candidate.endpoint) });
  }

  // What was written to one that is not in use nobody misses, but it may have become a replica of the one that is.
  #epochsFor(index: number): Epochs {
    const candidate = this.#candidates[index];
    return candidate !== undefined && candidate === this.#current ? candidate.epochs : this.#keeper.epochs;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#look();
      if (!this.#closed) this.#arm();
    }, lookEveryMs);
  }

  #look(): void {
    const current = this.#current;
    if (current === undefined) return;
    if (this.#looks++ % looksPerReading === 0) void this.#readHistory(current);
    // What stands by may have been made a replica, and a master again, with nothing sent to it that would show it.
    for (const one of this.#candidates) if (one !== current && one.connection?.ready) void this.#readHistory(one);
    const others = this.#candidates.filter((one) => one !== current && this.#isQuiet(one));
    const keeper = others.find(({ name, connection }) => connection && this.#home.mayMoveTo(name, connection.facts));
    const first = others.find((one) => this.#candidates.indexOf(one) < this.#candidates.indexOf(current));
    // The state that was written here is not left for a server that lacks it, and one that lacks it is left for it.
    const isFirst = keeper !== undefined && keeper === first;
    const better = this.#servesAll ? (isFirst ? keeper : undefined) : (keeper ?? first);
    if (better === undefined) return;
    this.#moveTo(better);
    this.#onStatusChange();
    this.#leaveAlone(better);
  }

  async #readHistory(candidate: Candidate): Promise<void> {
    const { connection } = candidate;
    await connection?.look().catch(() => undefined);
    if (connection === candidate.connection) this.#changed(candidate);
  }

  /** Whether it has been ready for long enough to be turned back to. */
  #isQuiet(candidate: Candidate): boolean {
    const { readySinceMs } = candidate;
    if (readySinceMs === undefined) return false;
    return this.#clock.monotonic() - readySinceMs >= this.#options.failBackMs;
  }

  /** Closes the connections to all that are worse. */
  #leaveAlone(better: Candidate): void {
    for (const candidate of this.#candidates.slice(this.#candidates.indexOf(better) + 1)) {
      const { connection, name } = candidate;
      if (name === this.#home.name) continue;
      candidate.connection = undefined;
      candidate.opening = undefined;
      candidate.readySinceMs = undefined;
      void connection?.close();
    }
  }
}

/** Why calls do not go there. */
function uselessness(connection: RedisConnection | undefined): string {
  if (connection === undefined) return 'not tried yet';
  return connection.awayReason ?? (connection.clustered ? 'part of a cluster' : 'this Redis is a replica');
}
