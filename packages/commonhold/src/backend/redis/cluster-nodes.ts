import { ClosedError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { StoreLoss } from '../backend.js';
import { nodeAddress, splitAddress } from './cluster-topology.js';
import type { Epochs } from './epochs.js';
import type { PulsePlace } from './node-pulse.js';
import type { RedisClient, RedisEndpoint } from './redis-client.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import type { Redirector } from './redis-wire.js';

/** What the connections to all nodes of a cluster have in common. */
export interface ClusterOptions extends Omit<
  RedisConnectionOptions,
  'endpoint' | 'inCluster' | 'redirector' | 'onChange' | 'pulse' | 'onLoss'
> {
  /** Some nodes, from which the others are learnt. The first one's user, password and TLS hold for all. */
  readonly seeds: readonly [RedisEndpoint, ...RedisEndpoint[]];
  readonly epochs: Epochs;
  /** Called when a node turned out to have lost data. */
  readonly onLoss: (loss: StoreLoss) => void;
}

/** What the nodes need of what knows the whole cluster. */
export interface ClusterNodesHome {
  /** For what nodes refuse that are reached at `host`. */
  redirector(host: string): Redirector;
  readonly pulse: PulsePlace;
  /** A node is there, or gone, or says something else of itself. */
  onChange(): void;
}

/** A node that leaves the cluster's masters is kept this long: pictures of a change differ from node to node. */
const keptAfterMs = 5_000;

/** One connection to each node that serves slots, or did so a moment ago. */
export class ClusterNodes {
  readonly #options: ClusterOptions;
  readonly #home: ClusterNodesHome;
  readonly #nodes = new Map<string, RedisConnection>();
  readonly #opening = new Map<string, Promise<void>>();
  readonly #unneededSinceMs = new Map<string, number>();
  #closed = false;

  constructor(options: ClusterOptions, home: ClusterNodesHome) {
    this.#options = options;
    this.#home = home;
  }

  all(): RedisConnection[] {
    return [...this.#nodes.values()];
  }

  at(address: string): RedisConnection | undefined {
    return this.#nodes.get(address);
  }

  /** The raw clients by `host:port`. */
  clients(): ReadonlyMap<string, RedisClient> {
    return new Map([...this.#nodes].map(([address, { client }]) => [address, client]));
  }

  /** Connects to whichever of `addresses` are new; resolves after the first attempt at each. */
  async open(addresses: Iterable<string>): Promise<void> {
    await Promise.all([...addresses].map((address) => this.#open(address)));
  }

  /** As {@link open}, to the seeds. */
  openSeeds(): Promise<void> {
    return this.open(this.#options.seeds.map(nodeAddress));
  }

  /** Closes what has not been among `needed` for a while. */
  retire(needed: ReadonlySet<string>): void {
    const nowMs = this.#options.clock.monotonic();
    for (const [address, node] of this.#nodes) {
      if (needed.has(address)) this.#unneededSinceMs.delete(address);
      else if (nowMs - (this.#unneededSinceMs.get(address) ?? nowMs) < keptAfterMs) {
        this.#unneededSinceMs.set(address, this.#unneededSinceMs.get(address) ?? nowMs);
      } else {
        this.#nodes.delete(address);
        this.#unneededSinceMs.delete(address);
        void node.close();
      }
    }
  }

  async close(atOnce: boolean): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#opening.values());
    await Promise.all(this.all().map((node) => node.close(atOnce)));
  }

  #open(address: string): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('This state'));
    if (this.#nodes.has(address)) return Promise.resolve();
    const opening = this.#opening.get(address) ?? this.#connect(address);
    this.#opening.set(address, opening);
    return opening;
  }

  async #connect(address: string): Promise<void> {
    const { seeds, onLoss, ...shared } = this.#options;
    const { host, port } = splitAddress(address);
    try {
      const connection = await RedisConnection.open({
        ...shared,
        endpoint: { ...seeds[0], host, port },
        log: nodeLog(this.#options.log, address),
        inCluster: true,
        redirector: this.#home.redirector(host),
        pulse: this.#home.pulse,
        onChange: () => this.#home.onChange(),
        onLoss: (kind) => onLoss({ kind, node: address }),
      });
      this.#nodes.set(address, connection);
    } finally {
      this.#opening.delete(address);
    }
  }
}

function nodeLog(log: Log, node: string): Log {
  return {
    info: (details, message) => log.info({ node, ...details }, message),
    warn: (details, message) => log.warn({ node, ...details }, message),
    error: (details, message) => log.error({ node, ...details }, message),
  };
}
