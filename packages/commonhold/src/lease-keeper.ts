import type { Clock, Timer } from './clock.js';
import { CloseLimit } from './close-report.js';
import { type Duration, durationMs } from './duration.js';
import { ClosedError, InvalidArgumentError, LeaseLostError } from './errors.js';
import { closeGraceMs, withinGrace } from './grace.js';

/** A hold in the store that ends by itself unless it is renewed. */
export interface LeaseTerms {
  /** What is held, for errors, as in `Lock pages`. */
  readonly what: string;
  readonly leaseMs: number;
  /** The clock's monotonic time before the request was sent that began the lease. */
  readonly sentAtMs: number;
  /** Has the lease begin anew; false when it is somebody else's now. */
  renew(): Promise<boolean>;
  /** Called when the state closes, after the signal has aborted; resolves when nothing is held any more. */
  letGo(): Promise<unknown>;
}

/** A lease that is kept until {@link Lease.end}. */
export interface Lease {
  /**
   * Aborts when the lease was lost or can no longer be relied on, with a `LeaseLost` error as its reason, and when the
   * state closes, with `Closed`.
   */
  readonly signal: AbortSignal;
  /** Whether it can be relied on now: a process that stood still may ask before its signal has heard. */
  readonly reliable: boolean;
  /** Renews no more. */
  end(): void;
}

/** A shorter lease would be lost to a single slow call. */
const shortestLeaseMs = 1_000;

/**
 * Milliseconds of a lease.
 * @throws InvalidArgumentError for less than a second, and as `durationMs` does.
 */
export function leaseDurationMs(lease: Duration, where: string): number {
  const ms = durationMs(lease, where);
  if (ms >= shortestLeaseMs) return ms;
  throw new InvalidArgumentError(where, 'a lease of at least 1 s', lease);
}

/**
 * How long after it was asked for a lease can be relied on here. The store counts from when it was asked, which is later;
 * what is left is for a timer that comes late and for the work to stop.
 */
export function reliableMs(leaseMs: number): number {
  return leaseMs - Math.min(500, leaseMs / 10);
}

/**
 * Keeps every lease of this process by one timer. A lease is renewed when a third of it has passed; those that are due soon go
 * along, so that leases of one length end up in one write. While the store is away renewing is tried again every tenth of the
 * lease. A lease that was not renewed in time is given up before it ends in the store.
 */
export class LeaseKeeper {
  readonly #clock: Clock;
  readonly #leases = new Set<KeptLease>();
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hold(terms: LeaseTerms): Lease {
    const lease = new KeptLease(terms, this.#clock, () => this.#leases.delete(lease));
    this.#leases.add(lease);
    this.#armFor(lease);
    return lease;
  }

  /** Tells every holder to stop, and waits for them, for 5 s at most, or half of what `limit` allows. What is held then ends with its lease. */
  async close(limit: CloseLimit = new CloseLimit({})): Promise<void> {
    if (this.#leases.size > 0) await this.#letGoOfAll([...this.#leases], limit);
    this.#leases.clear();
    this.#timer?.cancel();
  }

  async #letGoOfAll(leases: readonly KeptLease[], limit: CloseLimit): Promise<void> {
    const held = new Set(leases);
    for (const lease of leases) lease.abort(new ClosedError('This state'));
    const letGo = leases.map((lease) => lease.terms.letGo().finally(() => held.delete(lease)));
    if (await withinGrace(this.#clock, Promise.allSettled(letGo), limit.graceMs(closeGraceMs))) return;
    for (const { terms } of held) limit.abandon({ feature: 'lease', what: terms.what });
  }

  #armFor(lease: KeptLease): void {
    if (lease.dueAtMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = lease.dueAtMs;
    this.#timer = this.#clock.setTimer(() => this.#look(), Math.max(0, lease.dueAtMs - this.#clock.monotonic()));
  }

  #look(): void {
    this.#timerAtMs = Infinity;
    const now = this.#clock.monotonic();
    for (const lease of this.#leases) {
      if (now >= lease.reliableUntilMs) lease.lose('it could not be renewed in time');
      else if (lease.mayRenewAt(now)) void lease.renew().then(() => this.#afterRenewal(lease));
    }
    for (const lease of this.#leases) this.#armFor(lease);
  }

  #afterRenewal(lease: KeptLease): void {
    if (this.#leases.has(lease)) this.#armFor(lease);
  }
}

class KeptLease implements Lease {
  readonly terms: LeaseTerms;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #onEnd: () => void;
  #confirmedAtMs: number;
  #renewAtMs: number;
  /** From when it goes along with others. */
  #mayRenewAtMs: number;
  #renewing = false;
  #ended = false;

  constructor(terms: LeaseTerms, clock: Clock, onEnd: () => void) {
    this.terms = terms;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#confirmedAtMs = terms.sentAtMs;
    this.#renewAtMs = terms.sentAtMs + terms.leaseMs / 3;
    this.#mayRenewAtMs = terms.sentAtMs + terms.leaseMs / 6;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reliable(): boolean {
    return !(this.signal.reason instanceof LeaseLostError) && this.#clock.monotonic() < this.reliableUntilMs;
  }

  get reliableUntilMs(): number {
    return this.#confirmedAtMs + reliableMs(this.terms.leaseMs);
  }

  get dueAtMs(): number {
    return this.#renewing ? this.reliableUntilMs : Math.min(this.#renewAtMs, this.reliableUntilMs);
  }

  mayRenewAt(nowMs: number): boolean {
    return !this.#renewing && nowMs >= this.#mayRenewAtMs;
  }

  async renew(): Promise<void> {
    const { leaseMs } = this.terms;
    const sentAtMs = this.#clock.monotonic();
    this.#renewing = true;
    try {
      if (!(await this.terms.renew())) return this.lose('another has it now, or it was released');
      this.#confirmedAtMs = sentAtMs;
      this.#renewAtMs = sentAtMs + leaseMs / 3;
      this.#mayRenewAtMs = sentAtMs + leaseMs / 6;
    } catch {
      // The store is away, or cannot now. The end of the lease decides.
      this.#renewAtMs = this.#clock.monotonic() + leaseMs / 10;
      this.#mayRenewAtMs = this.#renewAtMs;
    } finally {
      this.#renewing = false;
    }
  }

  // A renewal may come back after its lease was ended on purpose.
  lose(why: string): void {
    if (this.#ended) return;
    this.end();
    this.abort(new LeaseLostError(this.terms.what, why));
  }

  abort(reason: Error): void {
    if (!this.signal.aborted) this.#controller.abort(reason);
  }

  end(): void {
    this.#ended = true;
    this.#onEnd();
  }
}
