import { type Duration, durationMs } from '../duration.js';
import { LeaseLostError, LockTimeoutError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { Guard } from '../guard.js';
import type { LineMember } from '../line-member.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import type { Tenure } from '../tenure.js';
import type { Turn, TurnLimits } from '../turns.js';
import { type HeldLock, type HoldPort, type OnClose, OwnLock } from './held-lock.js';
import type { LockAnswer, LockGrant } from './lock-port.js';

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

/** A way to hold a lock, as the store knows it. */
export interface AccessPort extends HoldPort {
  acquire(member: LineMember, leaseMs: number, waitMs: number): Promise<LockAnswer>;
}

/** What a way to hold a lock is made of. */
export interface AccessPlace {
  readonly lock: string;
  /** The lock and the way to hold it, for errors, as in `Lock pages`. */
  readonly what: string;
  /** The operation, for errors. */
  readonly operation: string;
  readonly leaseMs: number;
  readonly port: AccessPort;
  /** The topic on which the member `id` is woken. */
  readonly topic: (id: string) => string;
  readonly context: FeatureContext;
  readonly tenure: Tenure;
  /** What closing does about a lock that was acquired; for `run` it always waits. Default `release`. */
  readonly onClose?: OnClose;
}

const acquireOptionNames: OptionNames<AcquireOptions> = { wait: true, signal: true };

/** One way to hold a lock: alone, or with others who only read. */
export class LockAccess {
  readonly #place: AccessPlace;

  /** Use `state.lock` or `state.readWriteLock`. */
  constructor(place: AccessPlace) {
    place.topic('');
    this.#place = place;
  }

  /**
   * Runs `work` while holding the lock. Rejects with `LockTimeout` when it was not acquired within `wait`, with what `work`
   * throws, and with `LeaseLost` when the lock was not held until `work` ended, although that has done what it did.
   */
  async run<Result>(work: (held: LockHold) => Result | Promise<Result>, options: AcquireOptions = {}): Promise<Result> {
    const held = await this.#acquire(limitsOf(options), 'wait');
    if (held === undefined) throw new LockTimeoutError(this.#place.what, options.wait);
    return this.#workUnder(held, work);
  }

  /** The lock, or undefined when it was not acquired within `wait`. Release it, or declare it with `await using`. */
  async acquire(options: AcquireOptions = {}): Promise<HeldLock | undefined> {
    return this.#acquire(limitsOf(options));
  }

  /** The lock, if it is free and nobody waits for it; otherwise undefined. */
  async tryAcquire(): Promise<HeldLock | undefined> {
    return this.#acquire({ waitMs: 0 });
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
    throw new LeaseLostError(this.#place.what, 'before the work ended', { cause: held.signal.reason });
  }

  async #acquire(
    limits: TurnLimits,
    onClose: OnClose = this.#place.onClose ?? 'release',
  ): Promise<OwnLock | undefined> {
    const { lock, what, operation, leaseMs, port, topic, context, tenure } = this.#place;
    const { leases, turns } = tenure;
    const { log } = context;
    const member = tenure.newMember();
    const turn: Turn<LockGrant, OwnLock> = {
      operation,
      topic: topic(member.id),
      leaseMs,
      look: (waitMs) => port.acquire(member, leaseMs, waitMs),
      begin: ({ token }, sentAtMs) =>
        new OwnLock({ lock, what, member, token, leaseMs, sentAtMs, port, leases, log, onClose }),
      leave: () => port.release(member),
    };
    return turns.take(turn, limits);
  }
}

function limitsOf(options: AcquireOptions): TurnLimits {
  checkOptionNames('lock acquire options', options, acquireOptionNames);
  const waitMs = options.wait === undefined ? undefined : durationMs(options.wait, 'lock wait');
  return { waitMs, signal: options.signal };
}
