import { type Duration, durationMs } from '../duration.js';
import { LeaseLostError, LockTimeoutError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { Guard } from '../guard.js';
import { leaseDurationMs } from '../lease-keeper.js';
import { checkDurable, checkOptionNames, type OptionNames } from '../option-names.js';
import type { Tenure } from '../tenure.js';
import type { Turn, TurnLimits } from '../turns.js';
import { type HeldLock, OwnLock } from './held-lock.js';
import { type LockGrant, type LockPort, type LockStatus, lockTopic } from './lock-port.js';

export type { HeldLock };

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

/** How long to wait for a lock. */
export interface AcquireOptions {
  /** At most this long, and one call to the store more. Default: without bound. */
  readonly wait?: Duration;
  /** Ends the waiting; the call then rejects with its reason. Work that has begun is not touched. */
  readonly signal?: AbortSignal;
}

/** What work under a lock is given. */
export interface LockHold {
  /** As {@link HeldLock.signal}: work should stop when it aborts. */
  readonly signal: AbortSignal;
  readonly guard: Guard;
}

const lockOptionNames: OptionNames<LockOptions> = { lease: true, durable: true };
const acquireOptionNames: OptionNames<AcquireOptions> = { wait: true, signal: true };

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
export class Lock {
  readonly #name: string;
  readonly #port: LockPort;
  readonly #context: FeatureContext;
  readonly #tenure: Tenure;
  readonly #leaseMs: number;
  readonly #durable: boolean;

  /** Use `state.lock(name, options)`. @throws InvalidArgumentError naming the option. */
  constructor(name: string, options: LockOptions, port: LockPort, context: FeatureContext, tenure: Tenure) {
    checkOptionNames(`lock ${name} options`, options, lockOptionNames);
    lockTopic(name, '');
    checkDurable(options.durable, `lock ${name}, durable`);
    this.#name = name;
    this.#port = port;
    this.#context = context;
    this.#tenure = tenure;
    this.#leaseMs = leaseDurationMs(options.lease ?? '10s', 'lock lease');
    this.#durable = options.durable ?? false;
  }

  /**
   * Runs `work` while holding the lock. Rejects with `LockTimeout` when it was not acquired within `wait`, with what `work`
   * throws, and with `LeaseLost` when the lock was not held until `work` ended, although that has done what it did.
   */
  async run<Result>(work: (held: LockHold) => Result | Promise<Result>, options: AcquireOptions = {}): Promise<Result> {
    const { promise: ended, resolve: end } = withResolver();
    const held = await this.#acquire(limitsOf(options), () => ended);
    if (held === undefined) throw new LockTimeoutError(`Lock ${this.#name}`, options.wait);
    try {
      return await this.#workUnder(held, work);
    } finally {
      end();
    }
  }

  /** The lock, or undefined when it was not acquired within `wait`. Release it, or declare it with `await using`. */
  async acquire(options: AcquireOptions = {}): Promise<HeldLock | undefined> {
    return this.#acquire(limitsOf(options));
  }

  /** The lock, if it is free and nobody waits for it; otherwise undefined. */
  async tryAcquire(): Promise<HeldLock | undefined> {
    return this.#acquire({ waitMs: 0 });
  }

  /** Who holds the lock and how many wait for it. */
  status(): Promise<LockStatus> {
    return this.#port.status(this.#name);
  }

  async #workUnder<Result>(held: OwnLock, work: (held: LockHold) => Result | Promise<Result>): Promise<Result> {
    let result: Result;
    try {
      result = await work({ signal: held.signal, guard: held.guard });
    } catch (error) {
      await held.heldToTheEnd();
      throw error;
    }
    if (await held.heldToTheEnd()) return result;
    throw new LeaseLostError(`Lock ${this.#name}`, 'before the work ended', { cause: held.signal.reason });
  }

  async #acquire(limits: TurnLimits, letGo?: () => Promise<unknown>): Promise<OwnLock | undefined> {
    const { log } = this.#context;
    const lock = this.#name;
    const [port, leaseMs, durable] = [this.#port, this.#leaseMs, this.#durable];
    const { leases, turns } = this.#tenure;
    const member = this.#tenure.newMember();
    const turn: Turn<LockGrant, OwnLock> = {
      operation: 'lock.acquire',
      topic: lockTopic(lock, member.id),
      leaseMs,
      look: (waitMs) => port.acquire(lock, member, leaseMs, waitMs, durable),
      begin: ({ token }, sentAtMs) =>
        new OwnLock({ lock, member, token, leaseMs, durable, sentAtMs, port, log, leases }, letGo),
      leave: () => port.release(lock, member),
    };
    return turns.take(turn, limits);
  }
}

function limitsOf(options: AcquireOptions): TurnLimits {
  checkOptionNames('lock acquire options', options, acquireOptionNames);
  const waitMs = options.wait === undefined ? undefined : durationMs(options.wait, 'lock wait');
  return { waitMs, signal: options.signal };
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
