import type { FeatureContext } from '../feature-context.js';
import { leaseDurationMs } from '../lease-keeper.js';
import { checkOptionNames } from '../option-names.js';
import type { Tenure } from '../tenure.js';
import type { Duration } from '../duration.js';
import { LockAccess } from './lock-access.js';
import { type LockMode, type ReadWriteLockPort, type ReadWriteStatus, readWriteTopic } from './lock-port.js';

/** Options of `state.readWriteLock`. */
export interface ReadWriteLockOptions {
  /** As of `state.lock`: how long a holder that is not heard of keeps the lock. Default 10 s, at least 1 s. */
  readonly lease?: Duration;
}

/**
 * A lock over all processes that one holds who writes, or any number of those who only read. First come, first served: a
 * reader that comes after a writer that waits waits for it, so readers cannot starve writers, nor writers readers. It is not
 * re-entrant, and a reader cannot become a writer while it reads.
 *
 * Tokens grow from writer to writer, and to readers that come after one; those who read together have one token.
 */
export class ReadWriteLock {
  /** To hold it together with others who read. */
  readonly read: LockAccess;
  /** To hold it alone. */
  readonly write: LockAccess;
  readonly #name: string;
  readonly #port: ReadWriteLockPort;

  /** Use `state.readWriteLock(name, options)`. @throws InvalidArgumentError naming the option. */
  constructor(
    name: string,
    options: ReadWriteLockOptions,
    port: ReadWriteLockPort,
    context: FeatureContext,
    tenure: Tenure,
  ) {
    checkOptionNames(`read-write lock ${name} options`, options, { lease: true });
    const leaseMs = leaseDurationMs(options.lease ?? '10s', 'read-write lock lease');
    const access = (mode: LockMode): LockAccess =>
      new LockAccess({
        lock: name,
        what: `Lock ${name} to ${mode}`,
        operation: 'read-write-lock.acquire',
        leaseMs,
        port: {
          acquire: (member, ms, waitMs) => port.acquire(name, mode, member, ms, waitMs),
          renew: (member, ms) => port.renew(name, mode, member, ms),
          release: (member) => port.release(name, mode, member),
        },
        topic: (id) => readWriteTopic(name, mode, id),
        context,
        tenure,
      });
    this.#name = name;
    this.#port = port;
    this.read = access('read');
    this.write = access('write');
  }

  /** Who writes or how many read, and how many wait. */
  status(): Promise<ReadWriteStatus> {
    return this.#port.status(this.#name);
  }
}
