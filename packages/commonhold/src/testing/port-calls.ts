import type { Ports } from '../backend/backend.js';
import { cacheOperations } from '../cache/cache-operations.js';
import { channelOperations } from '../channel/channel-operations.js';
import { concurrencyOperations } from '../concurrency/concurrency-operations.js';
import { counterOperations } from '../counter/counter-operations.js';
import { lockOperations, readWriteLockOperations } from '../lock/lock-operations.js';
import { mapOperations, plainMapOperations } from '../map/map-operations.js';
import type { DeadlineClass, NamedOperation, Operations } from '../operation.js';
import { ownersOperations } from '../owners/owners-operations.js';
import { presenceOperations } from '../presence/presence-operations.js';
import { queueOperations } from '../queue/queue-operations.js';
import { rateLimitOperations } from '../rate-limit/rate-limit-operations.js';
import { runOnceOperations } from '../run-once/run-once-operations.js';
import { sessionOperations } from '../session/session-operations.js';
import { uniqueSetOperations } from '../unique-set/unique-set-operations.js';

const portOperations: { readonly [Feature in keyof Ports]: Operations<Ports[Feature]> } = {
  queue: queueOperations,
  cache: cacheOperations,
  channel: channelOperations,
  concurrency: concurrencyOperations,
  counter: counterOperations,
  map: mapOperations,
  plainMap: plainMapOperations,
  owners: ownersOperations,
  presence: presenceOperations,
  lock: lockOperations,
  readWriteLock: readWriteLockOperations,
  rateLimit: rateLimitOperations,
  runOnce: runOnceOperations,
  session: sessionOperations,
  uniqueSet: uniqueSetOperations,
};

/** How long calls may take, in milliseconds (DECISIONS K3). */
export const deadlineMs: Readonly<Record<DeadlineClass, number>> = { state: 500, cache: 100 };

/** One call on a port, as data. */
export interface PortCall {
  readonly operation: NamedOperation;
  readonly feature: keyof Ports;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Ports of which each call goes through `carry`, which decides whether and when it reaches a store. */
export function carriedPorts(carry: (call: PortCall) => Promise<unknown>): Ports {
  const ports = Object.entries(portOperations).map(([feature, operations]) => {
    const methods = Object.entries<NamedOperation>(operations as unknown as Record<string, NamedOperation>).map(
      ([method, operation]) => [
        method,
        (...args: unknown[]) => carry({ operation, feature: feature as keyof Ports, method, args }),
      ],
    );
    return [feature, Object.fromEntries(methods) as unknown];
  });
  return Object.fromEntries(ports);
}

/** Does a call on the ports of a store. */
export function runCall(ports: Ports, { feature, method, args }: PortCall): Promise<unknown> {
  const port = ports[feature] as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
  return (port[method] as (...args: readonly unknown[]) => Promise<unknown>).call(port, ...args);
}

/** The names of all operations, such as `lock.acquire`, and of their features, such as `lock`. */
export const operationNames: ReadonlySet<string> = new Set(
  Object.values(portOperations).flatMap((operations) =>
    Object.values<NamedOperation>({ ...operations }).flatMap(({ name }) => [name, name.slice(0, name.indexOf('.'))]),
  ),
);

/** What proves that a store takes writes; it has no method of its own. */
export const probeCall: PortCall = {
  operation: { name: 'probe', kind: 'idempotent', away: 'refuse', deadline: 'state' },
  feature: 'counter',
  method: 'get',
  args: [],
};
