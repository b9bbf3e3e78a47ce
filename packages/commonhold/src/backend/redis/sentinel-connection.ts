import { onAbort } from '../../abort.js';
import { sleep, type Clock, type Timer } from '../../clock.js';
import { ClosedError, type CommonholdError, UnavailableError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import { jittered } from '../../random.js';
import type { BackendStatus, StoreLoss } from '../backend.js';
import { servedBy } from '../status-watch.js';
import { connectFailure, isForbidden } from './classify.js';
import { ClusterBus } from './cluster-bus.js';
import { nodeAddress } from './cluster-topology.js';
import { type Epochs, pulsing } from './epochs.js';
import { HeldLog } from './held-log.js';
import { MovingWire } from './moving-wire.js';
import type { RedisEndpoint } from './redis-client.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import type { RedisWire } from './redis-wire.js';
import { type MasterReport, Sentinels } from './sentinels.js';

/** Which sentinels to ask, and how to get into the server that they name. */
export interface SentinelOptions extends Omit<
  RedisConnectionOptions,
  'endpoint' | 'inCluster' | 'redirector' | 'onChange' | 'pulse' | 'onLoss'
> {
  readonly sentinels: readonly RedisEndpoint[];
  /** By the name that the sentinels know it by. */
  readonly master: string;
  /** User, password, database and TLS of the servers. */
  readonly login: Omit<RedisEndpoint, 'host' | 'port'>;
  /** One for whoever is the master: a successor has the epoch of the one before, as far as it has its data. */
  readonly epochs: Epochs;
  /** Called when the master, or the one that took over from it, turned out to have lost data. */
  readonly onLoss: (loss: StoreLoss) => void;
}

const asking: NamedOperation = { name: 'sentinel.check', kind: 'read', away: 'refuse', deadline: 'state' };
/** How often server and sentinels are asked whether it is still the master. */
const checkEveryMs = 1_000;
/** For how long the answer is believed. A process that stood still asks again before it sends anything. */
const believedMs = 3_000;
const firstPauseMs = 20;
const longestPauseMs = 500;

/**
 * The master that sentinels name, kept up (RELIABILITY D2). In three states:
 *
 * - seeking: the sentinels are asked, and the server that they name is tried, until one is found that is the master. Every
 *   call fails at once.
 * - found: entered when that server was greeted as a master. Left when its connection is lost, and when it or the sentinels
 *   say that it is the master no more: the connection is destroyed and never tried again by itself, so that a server that
 *   was paused and goes on is sent nothing before the sentinels were asked anew.
 * - closed: never left.
 */
export class SentinelConnection {
  readonly bus: ClusterBus;
  readonly wire: RedisWire;
  readonly #options: SentinelOptions;
  readonly #clock: Clock;
  readonly #onStatusChange: () => void;
  readonly #sentinels: Sentinels;
  readonly #closing = new AbortController();
  #current: RedisConnection | undefined;
  #checking: Promise<void> | undefined;
  #checkTimer: Timer | undefined;
  #believedUntilMs = -Infinity;
  #seeking: Promise<void> | undefined;
  /** Ends the attempt or the pause of a search. */
  #hurry = new AbortController();
  #moves = 0;
  #lostAtMs: number | undefined;
  /** Found at a server that is not in use yet. */
  #loss: StoreLoss | undefined;
  #reason = 'not connected yet';

  /** Resolves after the first attempt, whether or not it succeeded. */
  static async open(options: SentinelOptions, onStatusChange: () => void): Promise<SentinelConnection> {
    const connection = new SentinelConnection(options, onStatusChange);
    await connection.#sentinels.start();
    await connection.#attempt();
    if (connection.#current === undefined) connection.#seek();
    return connection;
  }

  private constructor(options: SentinelOptions, onStatusChange: () => void) {
    const { login: _, epochs: __, onLoss: ___, ...shared } = options;
    this.#options = options;
    this.#clock = options.clock;
    this.#onStatusChange = onStatusChange;
    this.bus = new ClusterBus(options.log);
    this.wire = new MovingWire({
      moves: () => this.#moves,
      wire: () => this.#believed(),
      refusal: (operation) => this.#refusal(operation),
    });
    this.#sentinels = new Sentinels({ ...shared, onNews: () => this.#heard() });
  }

  /** The raw client of the master; undefined while there is none. */
  get client(): unknown {
    return this.#current?.client;
  }

  /** What is known of the master; never waits. */
  status(): BackendStatus {
    if (this.#current === undefined) return { kind: 'redis', connected: false, reason: this.#reason };
    return servedBy(this.#current.address, this.#current.status());
  }

  /** Gives a pulse; rejects as any call does. */
  probe(): Promise<void> {
    if (this.#current === undefined || this.#believed() === undefined) return Promise.reject(this.#refusal(pulsing));
    return this.#current.probe();
  }

  /** Lets calls in flight end, within the deadline for state or not at all, and disconnects. */
  async close(atOnce: boolean = false): Promise<void> {
    this.#closing.abort();
    this.#hurry.abort();
    this.#checkTimer?.cancel();
    const current = this.#current;
    this.#reason = 'the state is closed';
    await current?.close(atOnce);
    this.#current = undefined;
    await this.#seeking;
    await this.#sentinels.close();
  }

  #believed(): RedisWire | undefined {
    if (this.#current === undefined || this.#clock.monotonic() <= this.#believedUntilMs) return this.#current?.wire;
    void this.#check();
    return undefined;
  }

  #refusal(operation: NamedOperation): CommonholdError {
    if (this.#closing.signal.aborted) return new ClosedError('This state');
    const reason = this.#current === undefined ? this.#reason : 'after a pause the sentinels are asked first';
    return new UnavailableError(operation.name, reason);
  }

  #seek(): void {
    this.#seeking ??= this.#search().finally(() => {
      this.#seeking = undefined;
    });
  }

  async #search(): Promise<void> {
    for (let pauseMs = firstPauseMs; !this.#closing.signal.aborted; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
      this.#hurry = new AbortController();
      await this.#attempt();
      if (this.#current !== undefined) return;
      const { random } = this.#options;
      // A process that only works for a queue must live through the break, as it does while the socket is open.
      await sleep(this.#clock, jittered(random, pauseMs), this.#hurry.signal, { keepAlive: true });
    }
  }

  async #attempt(): Promise<void> {
    try {
      const report = await this.#sentinels.master();
      if (report.down) throw new Error(`the sentinels hold the master at ${nodeAddress(report)} for dead`);
      await this.#try(report);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#setReason(connectFailure(error));
    }
  }

  async #try({ host, port }: MasterReport): Promise<void> {
    const { login, sentinels: _, master: __, epochs, onLoss: ___, ...shared } = this.#options;
    const log = new HeldLog(shared.log);
    const startedAtMs = this.#clock.monotonic();
    const endpoint = { ...login, host, port };
    const opening = RedisConnection.open({
      ...shared,
      endpoint,
      log,
      pulse: { epochs, keyFor: () => epochs.key(0) },
      onChange: () => this.#changed(),
      onLoss: (kind) => this.#lose({ kind, node: nodeAddress(endpoint) }),
    });
    // Another may become the master while this one does not answer.
    const connection = await Promise.race([opening, aborted(this.#hurry.signal)]);
    if (connection === undefined) return void opening.then(discard);
    if (!connection.ready || this.#closing.signal.aborted) {
      this.#setReason(`${connection.address}: ${connection.awayReason ?? ''}`);
      return discard(connection);
    }
    log.release();
    this.#adopt(connection, startedAtMs);
  }

  #adopt(connection: RedisConnection, askedAtMs: number): void {
    this.#current = connection;
    this.#believedUntilMs = askedAtMs + believedMs;
    this.#moves++;
    this.#reason = '';
    // Before anybody else is served by it.
    if (this.#loss !== undefined) this.#lose(this.#loss);
    void this.bus.moveTo(connection.bus);
    this.#armCheck();
    const { log } = this.#options;
    const awayMs = this.#lostAtMs === undefined ? undefined : Math.round(this.#clock.monotonic() - this.#lostAtMs);
    if (awayMs !== undefined) log.info({ master: connection.address, awayMs }, 'Redis is back');
    this.#lostAtMs = undefined;
    this.#onStatusChange();
  }

  #lose(loss: StoreLoss): void {
    const inUse = this.#current?.address === loss.node;
    this.#loss = inUse ? undefined : loss;
    if (inUse) this.#options.onLoss(loss);
  }

  // Also called by connections that are only tried.
  #changed(): void {
    const reason = this.#current?.awayReason;
    if (reason === undefined) this.#onStatusChange();
    else this.#drop(reason);
  }

  #drop(reason: string): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.#lostAtMs = this.#clock.monotonic();
    this.#checkTimer?.cancel();
    this.#reason = `${current.address}: ${reason}`;
    if (this.#closing.signal.aborted) return discard(current);
    // A connection that was lost has said so itself.
    if (current.ready)
      this.#options.log.warn(
        { master: current.address, reason },
        'Redis is left: calls fail until the master is found',
      );
    discard(current);
    this.#onStatusChange();
    this.#seek();
  }

  #heard(): void {
    this.#hurry.abort();
    void this.#compare();
  }

  #armCheck(): void {
    this.#checkTimer?.cancel();
    this.#checkTimer = this.#clock.setTimer(() => {
      void this.#check().finally(() => {
        if (this.#current !== undefined) this.#armCheck();
      });
    }, checkEveryMs);
  }

  #check(): Promise<void> {
    this.#checking ??= this.#checkNow().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #checkNow(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    const askedAtMs = this.#clock.monotonic();
    const [isMaster] = await Promise.all([this.#isMaster(current), this.#compare()]);
    if (current !== this.#current) return;
    if (isMaster === false) this.#drop('this Redis is a replica');
    if (isMaster === true) this.#believedUntilMs = askedAtMs + believedMs;
  }

  // Sentinels that cannot be asked change nothing: what the server says of itself counts.
  async #compare(): Promise<void> {
    const current = this.#current;
    const named = await this.#sentinels.master().catch(() => undefined);
    if (named === undefined || current === undefined || current !== this.#current) return;
    const address = nodeAddress(named);
    if (address !== current.address) this.#drop(`the master is at ${address} now`);
  }

  /** Undefined when it does not answer. */
  async #isMaster(connection: RedisConnection): Promise<boolean | undefined> {
    try {
      const role = await connection.wire.command(asking, ['ROLE']);
      return Array.isArray(role) && role[0] === 'master';
    } catch (error) {
      // A user without the right to ask is told by the sentinels alone.
      return isForbidden(error) ? true : undefined;
    }
  }

  #setReason(reason: string): void {
    const changed = reason !== this.#reason;
    this.#reason = reason;
    if (changed) this.#onStatusChange();
  }
}

/** Destroys it, with everything in flight: a master that is none any more must not run it later. */
function discard(connection: RedisConnection): void {
  void connection.close(true);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => onAbort(signal, () => resolve(undefined)));
}
