import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError, RunTimeoutError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { leaseDurationMs } from '../lease-keeper.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { checkOf, decodeChecked, type SchemaOption, type ValueCheck } from '../schema.js';
import type { Tenure } from '../tenure.js';
import type { Turn, TurnLimits } from '../turns.js';
import { OpenRun, whatRuns } from './open-run.js';
import { type KeptResult, type OtherRun, type RunOncePort, type RunRight, runTopic } from './run-once-port.js';

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

/** What a run is asked for with. */
export interface BeginOptions {
  /**
   * What the work is to be done with, such as a hash of a request: text of 1 to 256 characters. A key is bound to the
   * fingerprint with which its run first began, for as long as its result or its attempts are kept. Default: none is looked at.
   */
  readonly fingerprint?: string;
}

/** How a run stands for one that does not wait: begun here, done, running elsewhere, or bound to another fingerprint. */
export type BegunRun<Result> =
  | { readonly status: 'begun'; readonly run: OpenRun<Result> }
  | { readonly status: 'done'; readonly result: Result; readonly owner: string; readonly finishedAtMs: number }
  | { readonly status: 'running' }
  | { readonly status: 'mismatch' };

const optionNames: OptionNames<RunOnceOptions> = { keep: true, lease: true };
const runOptionNames: OptionNames<RunOptions> = { wait: true, signal: true };
const beginOptionNames: OptionNames<BeginOptions> = { fingerprint: true };
const longestFingerprint = 256;

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
    const claim = await this.#claim(key, limitsOf(options), undefined);
    if (claim === undefined) throw new RunTimeoutError(whatRuns(this.#name, key), options.wait);
    if (!(claim instanceof OpenRun)) return this.#decode(key, (claim as KeptResult).result);
    return this.#work(claim, work);
  }

  /**
   * Asks once and waits for nobody, for work that does not fit into a function. Who gets the run ends it with `finish` or
   * `abandon`; until then its lease is renewed. Rejects with `Unavailable` when the store is away: nothing was begun.
   */
  async begin(key: string, options: BeginOptions = {}): Promise<BegunRun<Result>> {
    const claim = await this.#claim(key, { waitMs: 0 }, this.#fingerprint(options));
    if (claim === undefined) return { status: 'running' };
    if (claim instanceof OpenRun) return { status: 'begun', run: claim };
    if (claim.state === 'mismatch') return { status: 'mismatch' };
    const { owner, finishedAtMs } = claim;
    return { status: 'done', result: await this.#decode(key, claim.result), owner, finishedAtMs };
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

  async #claim(
    key: string,
    limits: TurnLimits,
    fingerprint: string | undefined,
  ): Promise<KeptResult | OtherRun | OpenRun<Result> | undefined> {
    const [port, name, leaseMs, keepMs] = [this.#port, this.#name, this.#leaseMs, this.#keepMs];
    const member = this.#tenure.newMember();
    const place = { name, key, member, leaseMs, keepMs, port, context: this.#context, check: this.#check };
    const turn: Turn<KeptResult | OtherRun | RunRight, KeptResult | OtherRun | OpenRun<Result>> = {
      operation: 'run-once.claim',
      topic: runTopic(name, key, member.id),
      leaseMs,
      look: (waitMs) => port.claim(name, key, member, leaseMs, waitMs, keepMs, fingerprint),
      begin: (claim, sentAtMs) =>
        claim.state === 'run' ? new OpenRun<Result>(place, this.#tenure, claim.attempt, sentAtMs) : claim,
      leave: () => port.leave(name, key, member, keepMs),
    };
    return this.#tenure.turns.take(turn, limits);
  }

  async #work(run: OpenRun<Result>, work: (run: RunControls) => Result | Promise<Result>): Promise<Result> {
    try {
      return await run.finish(await work({ signal: run.signal, attempt: run.attempt }));
    } catch (error) {
      if (run.isOpen) await run.abandon();
      throw error;
    }
  }

  async #decode(key: string, stored: KeptResult['result']): Promise<Result> {
    return decodeChecked(this.#context.codec, this.#check, stored, `The result of ${whatRuns(this.#name, key)}`);
  }

  #fingerprint(options: BeginOptions): string | undefined {
    const where = `run-once ${this.#name}, begin`;
    checkOptionNames(where, options, beginOptionNames);
    const { fingerprint } = options;
    if (fingerprint === undefined) return undefined;
    const fits = typeof fingerprint === 'string' && fingerprint !== '' && fingerprint.length <= longestFingerprint;
    if (fits && fingerprint.isWellFormed()) return fingerprint;
    throw new InvalidArgumentError(
      `${where}, fingerprint`,
      `well-formed text of 1 to ${longestFingerprint} characters`,
      fingerprint,
    );
  }
}

function limitsOf(options: RunOptions): TurnLimits {
  checkOptionNames('run-once run options', options, runOptionNames);
  const waitMs = options.wait === undefined ? undefined : durationMs(options.wait, 'run-once wait');
  return { waitMs, signal: options.signal };
}
