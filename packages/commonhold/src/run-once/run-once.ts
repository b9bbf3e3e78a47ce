import { sleep } from '../clock.js';
import type { Stored } from '../codec/stored.js';
import { type Duration, durationMs } from '../duration.js';
import { isCommonholdError, LeaseLostError, RunTimeoutError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { type Lease, leaseDurationMs } from '../lease-keeper.js';
import type { LineMember } from '../line-member.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { checkOf, decodeChecked, type SchemaOption, type ValueCheck } from '../schema.js';
import type { Tenure } from '../tenure.js';
import type { Turn, TurnLimits } from '../turns.js';
import { type KeptResult, type RunOncePort, type RunRight, runTopic } from './run-once-port.js';

/** Options of `state.runOnce`. */
export interface RunOnceOptions {
  /** How long a result is kept, and attempts are counted together. Default 1 h. */
  readonly keep?: Duration;
  /**
   * How long one that runs and is not heard of keeps others from running. Default 10 s, at least 1 s. It is renewed every third
   * of that, so work may take as long as it likes.
   */
  readonly lease?: Duration;
}

/** How long to wait for a result or for the turn to run. */
export interface RunOptions {
  /** At most this long, and one call to the store more. Default: without bound. Work that has begun is not touched. */
  readonly wait?: Duration;
  /** Ends the waiting; the call then rejects with its reason. Work that has begun is not touched. */
  readonly signal?: AbortSignal;
}

/** What work that runs once is given. */
export interface RunControls {
  /**
   * Aborts when the right to run was lost or can no longer be relied on, with a `LeaseLost` error as reason, and when the state
   * closes, with `Closed`.
   */
  readonly signal: AbortSignal;
  /** 1 for the first, one more after each that failed or died. */
  readonly attempt: number;
}

/** A run as it stands. Times are milliseconds since 1970 by the store's clock; `owner` is the id of a process. */
export type RunState<Result> =
  | { readonly status: 'absent' }
  | { readonly status: 'running'; readonly owner: string; readonly attempt: number; readonly startedAtMs: number }
  | { readonly status: 'done'; readonly result: Result; readonly owner: string; readonly finishedAtMs: number };

const optionNames: OptionNames<RunOnceOptions> = { keep: true, lease: true };
const runOptionNames: OptionNames<RunOptions> = { wait: true, signal: true };
/** Pause before a result is handed in again to a store that is away. */
const handInAgainMs = 250;

/**
 * Work that runs once per key over all processes, and whose result everybody gets. One that fails passes the turn to the next
 * that waits; one that dies, or hangs for longer than its lease, is taken over by the one that waits longest.
 *
 * Work may run again after one that died, or whose result could not be handed in; it is told by `attempt`.
 *
 * Without the store nothing runs: calls, also those that wait, reject with `Unavailable` at once or within the deadline of a call.
 */
export class RunOnce<Result> {
  readonly #name: string;
  readonly #port: RunOncePort;
  readonly #context: FeatureContext;
  readonly #tenure: Tenure;
  readonly #keepMs: number;
  readonly #leaseMs: number;
  readonly #check: ValueCheck<Result> | undefined;

  /** Use `state.runOnce(name, options)`. @throws InvalidArgumentError naming the option. */
  constructor(
    name: string,
    { schema, ...options }: RunOnceOptions & SchemaOption<Result>,
    port: RunOncePort,
    context: FeatureContext,
    tenure: Tenure,
  ) {
    checkOptionNames(`run-once ${name} options`, options, optionNames);
    runTopic(name, 'key', '');
    this.#name = name;
    this.#port = port;
    this.#context = context;
    this.#tenure = tenure;
    this.#keepMs = durationMs(options.keep ?? '1h', 'run-once keep');
    this.#leaseMs = leaseDurationMs(options.lease ?? '10s', 'run-once lease');
    this.#check = checkOf(schema, `run-once ${name}`);
  }

  /**
   * The result of `key`: kept from before, waited for, or made by `work` when the turn comes here.
   *
   * Rejects with what `work` throws here, while the next that waits tries; with `RunTimeout` when neither result nor turn
   * came within `wait`; with `LeaseLost` when `work` ended after it was taken over and there is no other result yet
   * (if there is, that is the answer); with `OutcomeUnknown`, `Unavailable` or `Overloaded` when `work` ended and its
   * result could not be handed in, although that was tried until its lease was over, or for as long as a lease.
   */
  async run(
    key: string,
    work: (run: RunControls) => Result | Promise<Result>,
    options: RunOptions = {},
  ): Promise<Result> {
    const limits = limitsOf(options);
    const member = this.#tenure.newMember();
    const claim = await this.#claim(key, member, limits);
    if (claim === undefined) throw new RunTimeoutError(this.#what(key), options.wait);
    if (claim.state === 'done') return this.#decode(key, claim.result);
    return this.#work(key, member, work, claim);
  }

  /** How `key` stands. One that runs and whose lease is over counts as absent. */
  async get(key: string): Promise<RunState<Result>> {
    const { state: status, ...found } = await this.#port.get(this.#name, key);
    if (!('result' in found)) return { status, ...found } as RunState<Result>;
    return { status: 'done', ...found, result: await this.#decode(key, found.result) };
  }

  /** Removes the result, so that the next `run` works again; false when there was none, or somebody runs now. */
  forget(key: string): Promise<boolean> {
    return this.#port.forget(this.#name, key);
  }

  async #claim(key: string, member: LineMember, limits: TurnLimits): Promise<KeptResult | Begun | undefined> {
    const [port, name, leaseMs, keepMs] = [this.#port, this.#name, this.#leaseMs, this.#keepMs];
    const turn: Turn<KeptResult | RunRight, KeptResult | Begun> = {
      operation: 'run-once.claim',
      topic: runTopic(name, key, member.id),
      leaseMs,
      look: (waitMs) => port.claim(name, key, member, leaseMs, waitMs, keepMs),
      begin: (claim, sentAtMs) => (claim.state === 'done' ? claim : this.#begin(key, member, claim.attempt, sentAtMs)),
      leave: () => port.leave(name, key, member, keepMs),
    };
    return this.#tenure.turns.take(turn, limits);
  }

  #begin(key: string, member: LineMember, attempt: number, sentAtMs: number): Begun {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const lease = this.#tenure.leases.hold({
      what: this.#what(key),
      leaseMs: this.#leaseMs,
      sentAtMs,
      renew: () => this.#port.renew(this.#name, key, member, this.#leaseMs, this.#keepMs),
      letGo: () => ended,
    });
    return { state: 'run', attempt, lease, end };
  }

  async #work(
    key: string,
    member: LineMember,
    work: (run: RunControls) => Result | Promise<Result>,
    { attempt, lease, end }: Begun,
  ): Promise<Result> {
    try {
      const [result, stored] = await this.#attempt(key, member, () => work({ signal: lease.signal, attempt }));
      return await this.#handIn(key, member, result, stored, lease);
    } finally {
      lease.end();
      end();
    }
  }

  async #attempt(
    key: string,
    member: LineMember,
    work: () => Result | Promise<Result>,
  ): Promise<[result: Result, stored: Stored]> {
    try {
      const what = `The result of ${this.#what(key)}`;
      const given = await work();
      const result = this.#check === undefined ? given : this.#check(given, what);
      return [result, this.#context.codec.encode(result, what)];
    } catch (error) {
      await this.#passOn(key, member);
      throw error;
    }
  }

  // If it cannot be told now, the others hear by the end of the lease.
  async #passOn(key: string, member: LineMember): Promise<void> {
    try {
      await this.#port.leave(this.#name, key, member, this.#keepMs);
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      this.#context.log.warn({ run: this.#name, code: error.code }, 'a failed run is passed on when its lease ends');
    }
  }

  async #handIn(key: string, member: LineMember, result: Result, stored: Stored, lease: Lease): Promise<Result> {
    const { clock } = this.#context;
    const untilMs = clock.monotonic() + this.#leaseMs;
    for (;;) {
      try {
        const answer = await this.#port.finish(this.#name, key, member, stored, this.#keepMs);
        if (answer.state === 'kept') return result;
        if (answer.state === 'done') return await this.#decode(key, answer.result);
        throw new LeaseLostError(this.#what(key), 'before the work ended', { cause: lease.signal.reason });
      } catch (error) {
        // Its lease is no bound: a store may renew that and refuse the result for ever.
        if (!mayPass(error) || lease.signal.aborted || clock.monotonic() >= untilMs) throw error;
      }
      await sleep(clock, handInAgainMs, lease.signal);
    }
  }

  async #decode(key: string, stored: Stored): Promise<Result> {
    return decodeChecked(this.#context.codec, this.#check, stored, `The result of ${this.#what(key)}`);
  }

  #what(key: string): string {
    return `run ${key} of ${this.#name}`;
  }
}

/** The right to run, in this process's hands. */
interface Begun extends RunRight {
  readonly lease: Lease;
  /** Says that the work has ended, to a state that closes. */
  readonly end: () => void;
}

function limitsOf(options: RunOptions): TurnLimits {
  checkOptionNames('run-once run options', options, runOptionNames);
  const waitMs = options.wait === undefined ? undefined : durationMs(options.wait, 'run-once wait');
  return { waitMs, signal: options.signal };
}

function mayPass(error: unknown): boolean {
  return isCommonholdError(error) && ['Unavailable', 'OutcomeUnknown', 'Overloaded'].includes(error.code);
}
