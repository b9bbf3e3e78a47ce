import { sleep } from '../clock.js';
import type { Stored } from '../codec/stored.js';
import { isCommonholdError, LeaseLostError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { Lease } from '../lease-keeper.js';
import type { LineMember } from '../line-member.js';
import { decodeChecked, type ValueCheck } from '../schema.js';
import type { Tenure } from '../tenure.js';
import type { RunOncePort } from './run-once-port.js';

/** Which run, and what it is written with. */
export interface RunPlace<Result> {
  readonly name: string;
  readonly key: string;
  readonly member: LineMember;
  readonly leaseMs: number;
  readonly keepMs: number;
  readonly port: RunOncePort;
  readonly context: FeatureContext;
  readonly check: ValueCheck<Result> | undefined;
}

/** Pause before a result is handed in again to a store that is away. */
const handInAgainMs = 250;

/** The right to run, in this process's hands. Its lease is renewed until `finish` or `abandon` has ended it. */
export class OpenRun<Result> {
  /** 1 for the first, one more after each that failed or died. */
  readonly attempt: number;
  readonly #place: RunPlace<Result>;
  readonly #lease: Lease;
  readonly #tellEnded: () => void;
  #isOpen = true;

  /** Use `begin` of `state.runOnce(…)`. `sentAtMs`: the monotonic time before the right was asked for. */
  constructor(place: RunPlace<Result>, tenure: Tenure, attempt: number, sentAtMs: number) {
    const { name, key, member, leaseMs, keepMs, port } = place;
    let tellEnded: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (tellEnded = resolve));
    this.attempt = attempt;
    this.#place = place;
    this.#tellEnded = tellEnded;
    this.#lease = tenure.leases.hold({
      what: whatRuns(name, key),
      leaseMs,
      sentAtMs,
      renew: () => port.renew(name, key, member, leaseMs, keepMs),
      letGo: () => ended,
    });
  }

  /**
   * Aborts when the right to run was lost or can no longer be relied on, with a `LeaseLost` error as reason, and when the state
   * closes, with `Closed`.
   */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Whether it has not been ended by `finish` or `abandon`. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Keeps `result` and resolves to the result that stands: this one, or the one of another that had taken over and finished.
   * While the store is away it is handed in again until the lease is over, or for as long as a lease; then this rejects with
   * `OutcomeUnknown`, `Unavailable` or `Overloaded`. Rejects with `LeaseLost` when another has taken over and not finished, and
   * as the schema and the codec do for what cannot be kept: the run goes on then, until it is ended otherwise.
   */
  async finish(result: Result): Promise<Result> {
    const { name, key, context, check } = this.#place;
    const checked = check === undefined ? result : check(result, resultOf(name, key));
    const stored = context.codec.encode(checked, resultOf(name, key));
    try {
      return await this.#handIn(checked, stored);
    } finally {
      this.#end();
    }
  }

  /** Ends the run without a result: the next that waits or asks runs. If that cannot be told, they hear when the lease ends. */
  async abandon(): Promise<void> {
    const { name, key, member, keepMs, port, context } = this.#place;
    try {
      await port.leave(name, key, member, keepMs);
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      context.log.warn({ run: name, code: error.code }, 'a failed run is passed on when its lease ends');
    } finally {
      this.#end();
    }
  }

  async #handIn(result: Result, stored: Stored): Promise<Result> {
    const { name, key, member, leaseMs, keepMs, port, context, check } = this.#place;
    const { signal } = this.#lease;
    const untilMs = context.clock.monotonic() + leaseMs;
    for (;;) {
      try {
        const answer = await port.finish(name, key, member, stored, keepMs);
        if (answer.state === 'kept') return result;
        if (answer.state === 'done')
          return await decodeChecked(context.codec, check, answer.result, resultOf(name, key));
        throw new LeaseLostError(whatRuns(name, key), 'before the work ended', { cause: signal.reason });
      } catch (error) {
        // Its lease is no bound: a store may renew that and refuse the result for ever.
        if (!mayPass(error) || signal.aborted || context.clock.monotonic() >= untilMs) throw error;
      }
      await sleep(context.clock, handInAgainMs, signal);
    }
  }

  #end(): void {
    this.#isOpen = false;
    this.#lease.end();
    this.#tellEnded();
  }
}

/** A run as errors name it. */
export function whatRuns(name: string, key: string): string {
  return `run ${key} of ${name}`;
}

function resultOf(name: string, key: string): string {
  return `The result of ${whatRuns(name, key)}`;
}

function mayPass(error: unknown): boolean {
  return isCommonholdError(error) && ['Unavailable', 'OutcomeUnknown', 'Overloaded'].includes(error.code);
}
