import type { BackendStatus, Backend } from '../backend.js';
import { UnavailableError } from '../../errors.js';
import type { Keys } from '../../keys.js';
import type { NamedOperation } from '../../operation.js';
import { ClusterRouter } from './cluster-router.js';
import type { ClusterOptions } from './cluster-nodes.js';
import { ClusterWire } from './cluster-wire.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisWire } from './redis-wire.js';
import type { Script } from './script.js';
import { slotOf } from './slot.js';

/** A whole cluster, kept up: one connection to each master. */
export class ClusterConnection {
  readonly wire: RedisWire;
  readonly #router: ClusterRouter;

  /**
   * Resolves after the first attempt to connect to each node, whether or not they succeeded. `onStatusChange` is called when
   * what `status` says may have changed.
   */
  static async open(options: ClusterOptions, onStatusChange: () => void): Promise<ClusterConnection> {
    const router = new ClusterRouter(options, onStatusChange);
    await router.start();
    return new ClusterConnection(router, options);
  }

  private constructor(router: ClusterRouter, options: ClusterOptions) {
    this.#router = router;
    this.wire = new ClusterWire(router, options);
  }

  get bus(): Backend['bus'] {
    return this.#router.bus;
  }

  /** The raw clients of the nodes by `host:port`. */
  get clients(): ReadonlyMap<string, unknown> {
    return this.#router.nodes.clients();
  }

  /** Connected when every slot is served by a node that can be reached; never waits. */
  status(): BackendStatus {
    const { table, failure } = this.#router;
    const states = [...table.owners()].map((node) => ({ node, status: node.status() }));
    for (const { node, status } of states) {
      if (status.kind === 'redis' && !status.connected) return away(`${node.address}: ${status.reason}`);
    }
    if (states.length === 0 || table.hasGap) return away(failure || 'some slots of the cluster have no node');
    const statuses = states.map(({ status }) => status);
    return statuses.find((status) => 'warning' in status) ?? (statuses[0] as BackendStatus);
  }

  /** Runs `script` on a key of every master; rejects when one of them fails. */
  async probe(operation: NamedOperation, script: Script, keys: Keys): Promise<void> {
    const status = this.status();
    if (status.kind === 'redis' && !status.connected) throw new UnavailableError(operation.name, status.reason);
    const probes = [...this.#probeKeys(keys).values()];
    await Promise.all(probes.map((key) => this.wire.run(operation, script, [key], ['1'])));
  }

  /** Lets calls in flight end, within the deadline for state or not at all, and disconnects. */
  close(atOnce: boolean = false): Promise<void> {
    return this.#router.close(atOnce);
  }

  // Keys are tried until each master has one: a few for each of its equals, and a bound for a master with few slots.
  #probeKeys(keys: Keys): Map<RedisConnection, string> {
    const { table } = this.#router;
    const found = new Map<RedisConnection, string>();
    const wanted = table.owners().size;
    for (let number = 0; found.size < wanted && number < mostProbeKeys; number++) {
      const key = keys.tagged('probe', String(number));
      const node = table.at(slotOf(key));
      if (node !== undefined && !found.has(node)) found.set(node, key);
    }
    return found;
  }
}

const mostProbeKeys = 1_000;

function away(reason: string): BackendStatus {
  return { kind: 'redis', connected: false, reason };
}
