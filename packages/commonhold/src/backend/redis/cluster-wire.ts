import { ClosedError, InvalidArgumentError, UnavailableError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import { runDurablyInCluster } from './cluster-durable.js';
import type { ClusterOptions } from './cluster-nodes.js';
import type { ClusterRouter } from './cluster-router.js';
import { scanStep } from './cluster-scan.js';
import type { CommandArgument, ReplyOptions } from './redis-client.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisWire } from './redis-wire.js';
import type { Script } from './script.js';
import { slotOf } from './slot.js';

/** Sends each call to the node that serves its keys. */
export class ClusterWire implements RedisWire {
  readonly clustered = true;
  readonly #router: ClusterRouter;
  readonly #clock: ClusterOptions['clock'];
  readonly #deadlineMs: ClusterOptions['deadlineMs'];

  constructor(router: ClusterRouter, { clock, deadlineMs }: Pick<ClusterOptions, 'clock' | 'deadlineMs'>) {
    this.#router = router;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  command(operation: NamedOperation, args: readonly CommandArgument[], reply?: ReplyOptions): Promise<unknown> {
    if (args[0] === 'SCAN') return this.#scan(operation, args, reply);
    const slot = slotOf(String(args[1]));
    const node = this.#router.table.at(slot);
    return node === undefined ? this.#refuse(operation, slot) : node.wire.command(operation, args, reply);
  }

  run(
    operation: NamedOperation,
    script: Script,
    keys: readonly string[],
    args: readonly CommandArgument[],
    reply?: ReplyOptions,
  ): Promise<unknown> {
    const [first] = keys;
    if (first === undefined) return Promise.reject(new InvalidArgumentError(script.name, 'at least one key', 'none'));
    if (operation.durable) {
      const dueAtMs = this.#clock.monotonic() + this.#deadlineMs[operation.deadline];
      return runDurablyInCluster(this.#router, this.#clock, { operation, script, keys, args, reply, dueAtMs });
    }
    const slot = slotOf(first);
    const node = this.#router.table.at(slot);
    return node === undefined ? this.#refuse(operation, slot) : node.wire.run(operation, script, keys, args, reply);
  }

  #scan(operation: NamedOperation, args: readonly CommandArgument[], reply?: ReplyOptions): Promise<unknown> {
    const { table } = this.#router;
    if (table.hasGap) return this.#refuse(operation, undefined);
    const cluster = {
      get generation() {
        return table.generation;
      },
      masters: () => [...table.owners()].toSorted(byAddress).map((node) => node.wire),
      refresh: () => this.#router.refresh(),
    };
    return scanStep(cluster, operation, args, reply);
  }

  #refuse(operation: NamedOperation, slot: number | undefined): Promise<never> {
    if (this.#router.closed) return Promise.reject(new ClosedError('This state'));
    const why = slot === undefined ? 'a part of the cluster is down' : `no node serves slot ${slot}`;
    return Promise.reject(new UnavailableError(operation.name, this.#router.failure || why));
  }
}

function byAddress(one: RedisConnection, other: RedisConnection): number {
  return one.address < other.address ? -1 : 1;
}
