import { isCommonholdError } from '../errors.js';
import type { Lease, LeaseKeeper } from '../lease-keeper.js';
import type { LineMember } from '../line-member.js';
import type { Log } from '../log.js';
import type { ConcurrencyPort } from './concurrency-port.js';

/** A slot that is held, and renewed, until it is released. */
export interface Slot extends AsyncDisposable {
  /**
   * Aborts when the slot was lost, when the store was out of reach for so long that it can no longer be relied on, both with
   * `LeaseLost` as reason, and when the state closes, with `Closed`.
   */
  readonly signal: AbortSignal;
  /**
   * Frees the slot and wakes the next. False when it was lost before. When it rejects with `Unavailable` or `OutcomeUnknown`
   * the slot is not renewed any more and ends with its lease.
   */
  release(): Promise<boolean>;
}

/** What a held slot is made of. */
export interface SlotPlace {
  readonly limiter: string;
  readonly subject: string;
  readonly member: LineMember;
  readonly leaseMs: number;
  /** Monotonic, before the request that got the slot. */
  readonly sentAtMs: number;
  readonly port: ConcurrencyPort;
  readonly leases: LeaseKeeper;
  readonly log: Log;
}

/** A slot in this process's hands. */
export class HeldSlot implements Slot {
  readonly #place: SlotPlace;
  readonly #lease: Lease;
  #released = false;

  constructor(place: SlotPlace) {
    const { limiter, subject, member, leaseMs, sentAtMs, port } = place;
    this.#place = place;
    this.#lease = place.leases.hold({
      what: `A slot of ${limiter}`,
      leaseMs,
      sentAtMs,
      renew: () => port.renew(limiter, subject, member, leaseMs),
      letGo: () => this.release(),
    });
  }

  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  async release(): Promise<boolean> {
    const { limiter, subject, member, port } = this.#place;
    this.#lease.end();
    const held = await port.release(limiter, subject, member);
    this.#released = true;
    return held;
  }

  /** Releases; a failure is logged, for the lease ends the slot all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    try {
      await this.release();
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      const { limiter, log } = this.#place;
      log.warn({ limiter, code: error.code }, 'a slot could not be released and ends with its lease');
    }
  }
}
