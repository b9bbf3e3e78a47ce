import { isCommonholdError } from '../errors.js';
import type { Guard } from '../guard.js';
import type { Lease, LeaseKeeper } from '../lease-keeper.js';
import type { LineMember } from '../line-member.js';
import type { Log } from '../log.js';

/** A lock that is held, and renewed, until it is released. */
export interface HeldLock extends AsyncDisposable {
  readonly guard: Guard;
  /**
   * Aborts when the lock was lost, when the store was out of reach for so long that it can no longer be relied on (before the
   * lease ends), both with `LeaseLost` as reason, and when the state closes, with `Closed`.
   */
  readonly signal: AbortSignal;
  /** Whether it can be relied on now: a process that stood still may ask before its signal has heard. */
  readonly reliable: boolean;
  /**
   * Frees the lock and wakes the next. False when it was lost before: nothing is freed then. When it rejects with
   * `Unavailable` or `OutcomeUnknown` the lock is not renewed any more and ends with its lease.
   */
  release(): Promise<boolean>;
}

/** What the holder of a lock asks of the store. */
export interface HoldPort {
  renew(member: LineMember, leaseMs: number): Promise<boolean>;
  release(member: LineMember): Promise<boolean>;
}

/** What closing the state does about a lock: frees it, or waits until its holder, who was told, has. */
export type OnClose = 'release' | 'wait';

/** What a held lock is made of. */
export interface HeldLockPlace {
  readonly lock: string;
  /** The lock, for errors, as in `Lock pages`. */
  readonly what: string;
  readonly member: LineMember;
  readonly token: string;
  readonly leaseMs: number;
  /** Monotonic, before the request that got the lock. */
  readonly sentAtMs: number;
  readonly port: HoldPort;
  readonly leases: LeaseKeeper;
  readonly log: Log;
  readonly onClose: OnClose;
}

/** A lock in this process's hands. */
export class OwnLock implements HeldLock {
  readonly guard: Guard;
  readonly #place: HeldLockPlace;
  readonly #lease: Lease;
  #ended = false;
  #released = false;
  #settle: () => void = () => undefined;

  constructor(place: HeldLockPlace) {
    const { lock, what, member, leaseMs, sentAtMs, port, onClose } = place;
    const settled = new Promise<void>((resolve) => (this.#settle = resolve));
    this.#place = place;
    this.guard = Object.freeze({ lock, token: place.token });
    this.#lease = place.leases.hold({
      what,
      leaseMs,
      sentAtMs,
      renew: () => port.renew(member, leaseMs),
      letGo: () => (onClose === 'release' ? this.release() : settled),
    });
  }

  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  get reliable(): boolean {
    return !this.#ended && this.#lease.reliable;
  }

  async release(): Promise<boolean> {
    this.#ended = true;
    this.#lease.end();
    try {
      const held = await this.#place.port.release(this.#place.member);
      this.#released = true;
      return held;
    } finally {
      this.#settle();
    }
  }

  /** Releases, and says whether the lock was held to the end, as far as can be known. */
  async heldToTheEnd(): Promise<boolean> {
    const { reliable } = this.#lease;
    try {
      return await this.release();
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      const { lock, log } = this.#place;
      log.warn({ lock, code: error.code }, 'a lock could not be released and ends with its lease');
      return reliable;
    }
  }

  /** Releases; a failure is logged, for the lease ends the lock all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#released) await this.heldToTheEnd();
  }
}
