import type { NamedOperation } from '../../operation.js';
import type { CommandArgument, ReplyOptions } from './redis-client.js';
import type { RedisWire } from './redis-wire.js';

/** What a scan of all masters needs to know of them. */
export interface ScannedCluster {
  /** Changes with each change of a slot's owner. */
  readonly generation: number;
  /** In an order that stays the same within a generation. */
  masters(): readonly RedisWire[];
  /** Looks at the cluster anew. */
  refresh(): Promise<void>;
}

/**
 * One step of a SCAN over every master, one after the other. Its cursor says where in which picture of the cluster it is;
 * when slots changed owner since it began it starts over, as what moved from a master not yet scanned to one already
 * scanned would be passed over.
 */
export async function scanStep(
  cluster: ScannedCluster,
  operation: NamedOperation,
  [name = 'SCAN', cursor, ...rest]: readonly CommandArgument[],
  reply: ReplyOptions | undefined,
): Promise<unknown> {
  const { generation } = cluster;
  const [begun, index, at] = String(cursor).split('.');
  const place = Number(begun) === generation ? { index: Number(index), at: at ?? '0' } : { index: 0, at: '0' };
  const masters = cluster.masters();
  const command = [name, place.at, ...rest];
  const [next, found] = ((await masters[place.index]?.command(operation, command, reply)) ?? ['0', []]) as [
    CommandArgument,
    unknown,
  ];
  if (String(next) !== '0') return [`${generation}.${place.index}.${String(next)}`, found];
  if (place.index + 1 < masters.length) return [`${generation}.${place.index + 1}.0`, found];
  await cluster.refresh();
  return [cluster.generation === generation ? '0' : `${cluster.generation}.0.0`, found];
}
