/** What a port method does, as data: the wrapper for outages, the wire and the docs read the same table. */
export interface Operation {
  /** `read` changes nothing; `idempotent` may run twice as well as once; `mutation` may not. */
  readonly kind: 'read' | 'idempotent' | 'mutation';
  /** What happens without Redis (DECISIONS K9). */
  readonly away: Away;
  /** Of a mutation whose answer did not come: taken as not run, since doing it again does little harm, or none where its
   * away twin answers at all. */
  readonly whenUnsure?: 'away';
  /** Of an idempotent operation that answers otherwise the second time: the first answer is the caller's. */
  readonly firstAnswerCounts?: true;
}

/**
 * `refuse`: answer Unavailable. `stale`: the last value known here. `miss`: as if absent, counted apart. `local`: serve
 * from this process, flagged. `journal`: note it and replay it on return. `spool`: write it to the spool file.
 */
export type Away = 'refuse' | 'stale' | 'miss' | 'local' | 'journal' | 'spool';

/** An operation with its full name (`cache.get`) and the time it may take. */
export interface NamedOperation extends Operation {
  readonly name: string;
  /** Which of the two deadlines holds: caches give up sooner. */
  readonly deadline: DeadlineClass;
  /** Answered only when what it wrote outlives the server that wrote it. */
  readonly durable?: boolean;
}

/** The same operation, acknowledged by a replica or the log as well where `durable` says so. */
export function withDurability(operation: NamedOperation, durable: boolean | undefined): NamedOperation {
  return durable === true ? { ...operation, durable } : operation;
}

/** `state` is 500 ms by default, `cache` 100 ms. */
export type DeadlineClass = 'state' | 'cache';

/** One entry for each method of a port, none more, none less. */
export type Operations<Port> = { readonly [Method in keyof Port]: NamedOperation };

/** Names each operation of a port's table after its feature and method. */
export function defineOperations<Port>(
  feature: string,
  deadline: DeadlineClass,
  table: { readonly [Method in keyof Port]: Operation },
): Operations<Port> {
  const entries = Object.entries<Operation>(table);
  return Object.fromEntries(
    entries.map(([method, operation]) => [method, { ...operation, name: `${feature}.${method}`, deadline }]),
  ) as Operations<Port>;
}
