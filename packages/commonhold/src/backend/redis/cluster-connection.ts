import type { BackendStatus } from '../backend.js';
import { UnavailableError } from '../../errors.js';
import type { ClusterBus } from './cluster-bus.js';
import { ClusterRouter } from './cluster-router.js';
import type { ClusterOptions } from './cluster-nodes.js';
import { ClusterWire } from './cluster-wire.js';
import type { RedisWire } from './redis-wire.js';

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

  get bus(): ClusterBus {
    return this.#router.bus;
  }

  /** The raw clients of the nodes by `host:port`. */
  get client(): ReadonlyMap<string, unknown> {
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
    return together(states.map(({ status }) => status));
  }

  /** Has every master give a pulse; rejects when one of them fails. */
  async probe(): Promise<void> {
    const status = this.status();
    if (status.kind === 'redis' && !status.connected) throw new UnavailableError('connection.pulse', status.reason);
    await Promise.all([...this.#router.table.owners()].map((node) => node.probe()));
  }

  /** Lets calls in flight end, within the deadline for state or not at all, and disconnects. */
  close(atOnce: boolean = false): Promise<void> {
    return this.#router.close(atOnce);
  }
}

// A new process has given its pulse to some masters before others.
function together(statuses: readonly BackendStatus[]): BackendStatus {
  const connected = statuses.filter((status) => status.kind === 'redis' && status.connected);
  const most = Math.max(0, ...connected.map(({ processes = 0 }) => processes));
  const refusing = connected.find((status) => status.refusing !== undefined)?.refusing;
  const first = connected.find((status) => status.warning !== undefined) ?? connected[0];
  return {
    ...(first as BackendStatus),
    ...(refusing === undefined ? {} : { refusing }),
    ...(most === 0 ? {} : { processes: most }),
  };
}

function away(reason: string): BackendStatus {
  return { kind: 'redis', connected: false, reason };
}
