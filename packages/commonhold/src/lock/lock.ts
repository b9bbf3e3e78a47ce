import type { Duration } from '../duration.js';
import type { FeatureContext } from '../feature-context.js';
import { leaseDurationMs } from '../lease-keeper.js';
import { checkDurable, checkOptionNames, type OptionNames } from '../option-names.js';
import type { Tenure } from '../tenure.js';
import type { OnClose } from './held-lock.js';
import { LockAccess } from './lock-access.js';
import { type LockPort, type LockStatus, lockTopic } from './lock-port.js';

export type { HeldLock } from './held-lock.js';

/** Options of `state.lock`. */
export interface LockOptions {
  /**
   * How long a holder that is not heard of keeps the lock. Default 10 s, at least 1 s. It is renewed every third of that while
   * it is held, so work may take as long as it likes.
   */
  readonly lease?: Duration;
  /**
   * Whether the lock is given, and renewed, only when that outlives the server: it is on a replica, or in the log on disk
   * where the server has no replica. Default false.
   */
  readonly durable?: boolean;
}

const lockOptionNames: OptionNames<LockOptions> = { lease: true, durable: true };

/**
 * A lock over all processes: one holder at a time, in the order they asked. It is not re-entrant: who asks again while
 * holding it, in one process too, waits for itself.
 *
 * A holder whose process dies or hangs loses the lock when its lease ends. A hung one may wake up later and go on, unaware; so
 * whatever it writes should be refused by the `guard`'s token.
 *
 * Without the store nobody gets a lock: asking, and waiting, rejects with `Unavailable` at once or within the deadline of a call,
 * and holders are told by their signal before their lease ends.
 */
export class Lock extends LockAccess {
  readonly #name: string;
  readonly #port: LockPort;

  /** Use `state.lock(name, options)`. @throws InvalidArgumentError naming the option. */
  constructor(
    name: string,
    options: LockOptions,
    port: LockPort,
    context: FeatureContext,
    tenure: Tenure,
    onClose: OnClose = 'release',
  ) {
    checkOptionNames(`lock ${name} options`, options, lockOptionNames);
    checkDurable(options.durable, `lock ${name}, durable`);
    const durable = options.durable ?? false;
    super({
      lock: name,
      what: `Lock ${name}`,
      operation: 'lock.acquire',
      leaseMs: leaseDurationMs(options.lease ?? '10s', 'lock lease'),
      port: {
        acquire: (member, leaseMs, waitMs) => port.acquire(name, member, leaseMs, waitMs, durable),
        renew: (member, leaseMs) => port.renew(name, member, leaseMs, durable),
        release: (member) => port.release(name, member),
      },
      topic: (id) => lockTopic(name, id),
      context,
      tenure,
      onClose,
    });
    this.#name = name;
    this.#port = port;
  }

  /** Who holds the lock and how many wait for it. */
  status(): Promise<LockStatus> {
    return this.#port.status(this.#name);
  }
}
