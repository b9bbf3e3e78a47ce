import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type { DeadlineClass, NamedOperation } from '../../operation.js';
import type { Random } from '../../random.js';
import type { BackendStatus, StoreLossKind } from '../backend.js';
import { isForbidden } from './classify.js';
import { nodeAddress } from './cluster-topology.js';
import { DurableWrites } from './durable-writes.js';
import { EvictionWatch } from './eviction-watch.js';
import { IdleWatch } from './idle-watch.js';
import { NodePulse, type PulsePlace } from './node-pulse.js';
import { RedisBus } from './redis-bus.js';
import { createRedisClient, type RedisClient, type RedisEndpoint } from './redis-client.js';
import { RedisLink } from './redis-link.js';
import { NodeWire, type Redirector } from './redis-wire.js';
import type { ScriptTime } from './script.js';
import { parseServerFacts, type ServerFacts, stateWarning } from './server-facts.js';

/** Where to connect, and what to be given. */
export interface RedisConnectionOptions {
  readonly endpoint: RedisEndpoint;
  readonly deadlineMs: Readonly<Record<DeadlineClass, number>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly scriptTime: ScriptTime;
  /** Whether the server holds nothing but what may be lost, so that it may evict. */
  readonly mayEvict?: boolean;
  /** Whether this is the connection to one node of a cluster, which may be a replica for a while. */
  readonly inCluster?: boolean;
  /** Whether it is left to somebody else to log that the connection is lost, and that it is back. */
  readonly silent?: boolean;
  /** Given when calls that this node refuses go on to others. */
  readonly redirector?: Redirector | undefined;
  /** How it proves that the server takes writes; without it, nothing does. */
  readonly pulse?: PulsePlace | undefined;
  /** Called when what `status` says has changed. */
  readonly onChange?: (() => void) | undefined;
  /** Called when the server turned out to have lost data, on a connection that is ready. */
  readonly onLoss?: ((kind: StoreLossKind) => void) | undefined;
}

const greeting: NamedOperation = { name: 'connection.greet', kind: 'read', away: 'refuse', deadline: 'state' };
const asking: NamedOperation = { name: 'connection.ask', kind: 'read', away: 'refuse', deadline: 'state' };
/** Time for connecting with the handshake, and as much for the greeting (K3), unless calls may take longer. */
const shortestHandshakeMs = 500;

/** One connection to one Redis, kept up: what carries calls and messages, and what is known of the server. */
export class RedisConnection {
  /** `host:port`. */
  readonly address: string;
  readonly host: string;
  readonly client: RedisClient;
  readonly wire: NodeWire;
  readonly bus: RedisBus;
  readonly #link: RedisLink;
  readonly #log: Log;
  readonly #inCluster: boolean;
  readonly #mayEvict: boolean;
  readonly #idleWatch: IdleWatch;
  readonly #durable: DurableWrites;
  readonly #pulse: NodePulse;
  readonly #onLoss: (kind: StoreLossKind) => void;
  /** Found while the connection was greeted. */
  #loss: StoreLossKind | undefined;
  #incarnation = 0;
  readonly #evictions: EvictionWatch;
  #facts: ServerFacts = parseServerFacts('');

  /** Resolves after the first attempt to connect, whether or not it succeeded. */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    const handshakeMs = Math.max(shortestHandshakeMs, options.deadlineMs.state);
    const client = await createRedisClient(options.endpoint, handshakeMs);
    const connection = new RedisConnection(client, handshakeMs, options);
    await connection.#link.start();
    return connection;
  }

  private constructor(client: RedisClient, handshakeMs: number, options: RedisConnectionOptions) {
    this.client = client;
    this.host = options.endpoint.host;
    this.address = nodeAddress(options.endpoint);
    this.#log = options.log;
    this.#inCluster = options.inCluster ?? false;
    this.#mayEvict = options.mayEvict ?? false;
    this.bus = new RedisBus(() => this.wire, options.log);
    this.#onLoss = options.onLoss ?? (() => undefined);
    this.#evictions = new EvictionWatch(options.clock, () => this.#lose('evicted'));
    const node = { address: this.address, inCluster: this.#inCluster, log: options.log };
    this.#pulse = new NodePulse(options.pulse, node, {
      onChange: () => options.onChange?.(),
      onLoss: (kind) => this.#lose(kind),
    });
    this.#link = new RedisLink(client, {
      ...options,
      handshakeMs,
      greet: () => this.#greet(),
      onReady: (again) => {
        this.#incarnation++;
        if (this.#loss !== undefined) this.#lose(this.#loss);
        if (again) this.bus.restored();
        options.onChange?.();
      },
      onLost: () => {
        this.bus.broken();
        options.onChange?.();
      },
    });
    // What is refused there is told to the caller, who knows by when it must be settled.
    const own = { ...options, redirector: undefined, onChange: undefined, pulse: undefined, onLoss: undefined };
    this.#durable = new DurableWrites(options.clock, () => RedisConnection.open(own));
    const onWriteRefused = (reason: string): void => this.#pulse.refused(reason);
    this.wire = new NodeWire(this.#link, { ...options, durable: this.#durable, onWriteRefused });
    this.#idleWatch = new IdleWatch(options.clock, {
      ready: () => this.#link.ready,
      bytesRead: () => this.#link.bytesRead,
      ask: () => void this.wire.command(asking, ['PING']).catch(() => undefined),
      pulse: () => {
        if (stateWarning(this.#facts) !== undefined) void this.look().catch(() => undefined);
        return this.#pulse.keep(this.wire);
      },
    });
  }

  /** Whether the server said that it is part of a cluster. */
  get clustered(): boolean {
    return this.#facts.clustered;
  }

  /** What the server said of itself when it was asked last. */
  get facts(): ServerFacts {
    return this.#facts;
  }

  /** Another one after each time that the connection was lost. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Why nothing can be sent; undefined when it can. */
  get awayReason(): string | undefined {
    return this.#link.ready ? undefined : this.#link.reason;
  }

  /** Whether calls can be sent. */
  get ready(): boolean {
    return this.#link.ready;
  }

  /** What is known of the server and of the connection; never waits. */
  status(): BackendStatus {
    if (!this.#link.ready) return { kind: 'redis', connected: false, reason: this.#link.reason };
    const warning = this.#warning(this.#facts);
    const version = this.#facts.version;
    const { refusing, processes } = this.#pulse;
    return {
      kind: 'redis',
      connected: true,
      version,
      ...(warning === undefined ? {} : { warning }),
      ...(refusing === undefined ? {} : { refusing }),
      ...(processes === undefined ? {} : { processes }),
    };
  }

  /** Gives a pulse; rejects as any call does. */
  probe(): Promise<void> {
    return this.#pulse.give((...call) => this.wire.run(...call));
  }

  /** Gives a pulse if none was given on this connection, for want of knowing where. */
  beginPulse(): void {
    if (this.ready && !this.#pulse.given) this.#pulse.keep(this.wire);
  }

  /** Lets calls in flight end, within the deadline for state or not at all, and disconnects. */
  async close(atOnce: boolean = false): Promise<void> {
    this.#idleWatch.close();
    // What is in flight then settles at once.
    if (atOnce) this.#link.close();
    await this.#durable.close();
    await this.wire.drain();
    this.#link.close();
  }

  /** Asks the server again what it says of itself. */
  async look(): Promise<void> {
    this.#facts = await this.#readFacts();
    this.#evictions.see(this.#facts);
  }

  #lose(kind: StoreLossKind): void {
    this.#loss = this.#link.ready ? undefined : kind;
    if (this.#link.ready) this.#onLoss(kind);
  }

  async #greet(): Promise<void> {
    this.wire.restart();
    const [facts, pulse] = await Promise.allSettled([this.#readFacts(), this.#pulse.greet(this.wire)]);
    if (facts.status === 'rejected') throw facts.reason;
    this.#use(facts.value);
    if (pulse.status === 'rejected') throw pulse.reason;
    await this.bus.resubscribe();
  }

  #use(facts: ServerFacts): void {
    this.#evictions.see(facts);
    // Also of a replica: one of a cluster leads to all of it.
    this.#facts = facts;
    // A master that stepped down; its successor may be found under the same name.
    if (facts.role === 'slave' && !this.#inCluster) throw new Error('this Redis is a replica');
    this.wire.clustered = facts.clustered;
    const warning = this.#warning(facts);
    if (warning !== undefined) this.#log.warn({ version: facts.version }, warning);
  }

  #warning(facts: ServerFacts): string | undefined {
    return this.#mayEvict ? undefined : stateWarning(facts);
  }

  // A user without the right to read INFO works; what depends on it is then unknown.
  async #readFacts(): Promise<ServerFacts> {
    try {
      return parseServerFacts(String(await this.wire.greet(greeting, ['INFO'])));
    } catch (error) {
      if (isForbidden(error)) return parseServerFacts('');
      throw error;
    }
  }
}
