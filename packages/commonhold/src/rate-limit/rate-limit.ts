import type { AwayChoices } from '../away.js';
import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { encodePart } from '../keys.js';
import { type Operation, operationById, type OperationOptions } from '../operation-id.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import type { RefundOptions } from './consume-all.js';
import type { HitOptions } from './hit-options.js';
import type { RateLimitPolicy } from './policy.js';
import type { Patience } from './patience.js';
import { type RateLimitPort, subjectName } from './rate-limit-port.js';
import type { RefusalMemory } from './refusal-memory.js';
import { parseRules, type RateLimitRules, type RuleSet, RuleSets } from './rule-set.js';
import { holds, type SubjectList, subjectTest } from './subject-list.js';
import { listedVerdict, type RateLimitVerdict, verdictOf } from './verdict.js';

/** Options of `state.rateLimit`. */
export interface RateLimitOptions {
  /** Subjects that are admitted without being counted. */
  readonly allow?: SubjectList;
  /** Subjects that are refused without being counted, also those that `allow` names. */
  readonly deny?: SubjectList;
  /**
   * Whether this process refuses a refused subject by itself until its `retryAfterMs` has passed. Default true. Refunds,
   * resets and blocks by other processes are heard of within a message's time.
   */
  readonly remember?: boolean;
  /**
   * Without the store: `memory` has each process admit its share, the limit divided by the processes alive when the store was
   * heard last, and at least one hit; `open` admits every hit; `closed` rejects with `Unavailable`, as logins should. Default
   * `memory`. Verdicts given so say `local`. `block` and `reset` always reject.
   */
  readonly away?: AwayChoices['rateLimit'];
}

/** How long a hit may wait to be admitted. Without `wait` it does not, and there is nothing that `signal` could end. */
export type ConsumeOptions = HitOptions &
  OperationOptions &
  (
    | {
        /** At most this long. A refusal that lasts longer is answered at once. */
        readonly wait: Duration;
        /** Ends the waiting; the call then rejects with its reason. */
        readonly signal?: AbortSignal;
      }
    | { readonly wait?: never; readonly signal?: never }
  );

/** What this limiter answered in this process, since it was made. */
export interface RateLimitCounts {
  readonly admitted: number;
  /** By the store. */
  readonly refused: number;
  /** From memory: the store was not asked. */
  readonly refusedLocally: number;
  /** By `allow` or `deny`: the store was not asked. */
  readonly listed: number;
}

/** What the limiters of one process share. */
export interface RateLimitPlace {
  readonly refusals: RefusalMemory;
  readonly patience: Patience;
}

const optionNames = { allow: true, deny: true, remember: true, away: true } satisfies OptionNames<RateLimitOptions>;
const hitOptionNames = { weight: true, rule: true } satisfies OptionNames<HitOptions>;
const consumeOptionNames = {
  ...hitOptionNames,
  operationId: true,
  wait: true,
  signal: true,
} satisfies OptionNames<ConsumeOptions>;
const resetOptionNames = { rule: true } satisfies OptionNames<Pick<HitOptions, 'rule'>>;
const refundOptionNames = { ...resetOptionNames, operationId: true } satisfies OptionNames<RefundOptions>;

/**
 * A limit on how often each subject (an address, a user) may do something, over all processes together: one rule, or
 * several that a hit must fit all. A refused hit counts under none of them and prolongs nothing. No rule is ever exceeded,
 * however many hits race.
 *
 * A refusal is a verdict, not an error. Every method rejects with `Unavailable` when the store certainly did nothing, all
 * but `peek` with `OutcomeUnknown` when it may have happened, and with `CorruptState` when another program's value is in
 * the way. None of these admits the hit: the caller decides.
 */
export class RateLimit {
  /** Name, limit and window of each rule. Those that hold for a hit, and how they stand, are in its verdict. */
  readonly policies: readonly RateLimitPolicy[];
  readonly #name: string;
  readonly #consuming: string;
  readonly #rules: RuleSet;
  readonly #ruleSets: RuleSets;
  readonly #allow: (subject: string) => boolean;
  readonly #deny: (subject: string) => boolean;
  readonly #refusals: RefusalMemory | undefined;
  readonly #patience: Patience;
  readonly #port: RateLimitPort;
  readonly #context: FeatureContext;
  readonly #counts = { admitted: 0, refused: 0, refusedLocally: 0, listed: 0 };

  /**
   * Use `state.rateLimit(name, rules, options)`.
   * @throws InvalidArgumentError for an empty name, a bad rule or option, saying what was expected.
   */
  constructor(
    name: string,
    rules: RateLimitRules,
    options: RateLimitOptions,
    port: RateLimitPort,
    context: FeatureContext,
    place: RateLimitPlace,
  ) {
    encodePart(name);
    const where = `rate limit ${name}`;
    checkOptionNames(where, options, optionNames);
    this.#name = name;
    this.#consuming = `${where}, consume`;
    this.#rules = parseRules(rules, name, where);
    this.#ruleSets = new RuleSets(name);
    this.#allow = subjectTest(options.allow, `${where}, allow`);
    this.#deny = subjectTest(options.deny, `${where}, deny`);
    this.#refusals = (options.remember ?? true) ? place.refusals : undefined;
    this.#patience = place.patience;
    this.#port = port;
    this.#context = context;
    this.policies = this.#rules.policies;
  }

  /**
   * Counts a hit of `subject`, any non-empty text, unless it would exceed a limit. With `wait` it waits to be admitted, for
   * as long as the store says and without asking between; those of one subject and process are admitted in order.
   *
   * A hit with an `operationId` counts once, however often it is done within 10 minutes, and is answered as when it was
   * admitted. An id that a hit of another weight or under other rules had rejects with `InvalidArgument`.
   */
  consume(subject: string, options: ConsumeOptions = {}): Promise<RateLimitVerdict> {
    // One promise more for each hit would be a fifth of its time in memory.
    try {
      return this.#admit(subject, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The refusal that a hit is sure to get, by a list or from memory; undefined when the store must be asked, which this does
   * not. What it answers is counted in {@link counts}.
   */
  refusal(subject: string, options: HitOptions = {}): RateLimitVerdict | undefined {
    const where = `rate limit ${this.#name}, refusal`;
    checkOptionNames(where, options, hitOptionNames);
    checkSubject(subject, where);
    const { rules, weight } = this.#hit(options, where);
    const list = holds(subject, this.#allow, this.#deny);
    if (list === true) return undefined;
    return list === false ? this.#listed(subject, rules, weight) : this.#recall(this.#id(subject), rules, weight);
  }

  /** What a hit would be answered now, without counting one. Always asks the store. */
  async peek(subject: string, options: HitOptions = {}): Promise<RateLimitVerdict> {
    const where = `rate limit ${this.#name}, peek`;
    checkOptionNames(where, options, hitOptionNames);
    checkSubject(subject, where);
    const { rules, weight } = this.#hit(options, where);
    const list = holds(subject, this.#allow, this.#deny);
    if (list !== undefined) return listedVerdict(rules, list, weight, this.#context.clock.now());
    return verdictOf(rules, await this.#port.peek(this.#name, subject, rules.meters, weight), weight);
  }

  /**
   * Takes back a hit that was admitted, by its verdict: what time has not given back since. It never makes room that would
   * not be there had the hit not come, as `reward` of rate-limiter-flexible does in the window after. Give each verdict at
   * most once, with the `rule` its hit had; with the `operationId` of its hit, within 10 minutes of that, it is given back once
   * however often that is done. Returns whether anything was given back.
   */
  async refund(subject: string, verdict: RateLimitVerdict, options: RefundOptions = {}): Promise<boolean> {
    const where = `rate limit ${this.#name}, refund`;
    checkOptionNames(where, options, refundOptionNames);
    const { operationId, ...given } = options;
    const operation = operationId === undefined ? undefined : operationById(where, operationId);
    const { rules, weight } = this.#hit({ ...given, weight: verdict.weight }, where);
    checkSubject(subject, where);
    if (!Number.isSafeInteger(verdict.atMs)) throw new InvalidArgumentError(where, 'a verdict', verdict);
    if (!verdict.allowed || holds(subject, this.#allow, this.#deny) !== undefined) return false;
    this.#refusals?.forget(this.#id(subject));
    const hit = [this.#name, subject, rules.meters, weight, verdict.atMs] as const;
    return operation === undefined ? this.#port.refund(...hit) : this.#port.refundOnce(...hit, operation.id);
  }

  /** Has every hit of `subject` refused for `duration`, under whatever rules, in place of an earlier block. */
  async block(subject: string, duration: Duration): Promise<void> {
    checkSubject(subject, `rate limit ${this.#name}, block`);
    const durationInMs = Math.max(2, durationMs(duration, `rate limit ${this.#name}, block`));
    await this.#port.block(this.#name, subject, durationInMs);
    this.#refusals?.forget(this.#id(subject));
  }

  /**
   * Forgets what `subject` used under the rules of the limiter or `rule`, and lifts its block; returns whether there was
   * anything.
   */
  async reset(subject: string, options: Pick<HitOptions, 'rule'> = {}): Promise<boolean> {
    const where = `rate limit ${this.#name}, reset`;
    checkOptionNames(where, options, resetOptionNames);
    checkSubject(subject, where);
    const existed = await this.#port.reset(this.#name, subject, this.#hit(options, where).rules.meters);
    this.#refusals?.forget(this.#id(subject));
    return existed;
  }

  /** What was answered in this process since the limiter was made. */
  counts(): RateLimitCounts {
    return { ...this.#counts };
  }

  #admit(subject: string, options: ConsumeOptions): Promise<RateLimitVerdict> {
    const where = this.#consuming;
    checkOptionNames(where, options, consumeOptionNames);
    checkSubject(subject, where);
    const { rules, weight } = this.#hit(options, where);
    const listed = this.#listed(subject, rules, weight);
    if (listed !== undefined) return Promise.resolve(listed);
    const { wait, signal, operationId } = options;
    const operation = operationId === undefined ? undefined : operationById(where, operationId);
    if (wait === undefined) return this.#consume(subject, rules, weight, operation);
    const limits = { waitMs: durationMs(wait, `${where}, wait`), signal };
    return this.#patience.wait(this.#id(subject), () => this.#consume(subject, rules, weight, operation), limits);
  }

  #consume(
    subject: string,
    rules: RuleSet,
    weight: number,
    operation: Operation | undefined,
  ): Promise<RateLimitVerdict> {
    // An operation may have been admitted before: only the store knows.
    const mayKnow = operation === undefined && this.#refusals?.isEmpty === false;
    const known = mayKnow ? this.#recall(this.#id(subject), rules, weight) : undefined;
    if (known !== undefined) return Promise.resolve(known);
    const forgotten = this.#refusals?.forgotten ?? 0;
    const sentAtMs = this.#context.clock.monotonic();
    const reading =
      operation === undefined
        ? this.#port.consume(this.#name, subject, rules.meters, weight)
        : this.#port.consumeOnce(this.#name, subject, rules.meters, weight, operation);
    return reading.then((answer) => {
      const verdict = verdictOf(rules, answer, weight);
      this.#counts[verdict.allowed ? 'admitted' : 'refused'] += 1;
      if (!verdict.allowed && !verdict.local)
        this.#refusals?.remember(this.#id(subject), rules, verdict, sentAtMs, forgotten);
      return verdict;
    });
  }

  #recall(id: string, rules: RuleSet, weight: number): RateLimitVerdict | undefined {
    const known = this.#refusals?.recall(id, rules, weight);
    if (known !== undefined) this.#counts.refusedLocally += 1;
    return known;
  }

  #listed(subject: string, rules: RuleSet, weight: number): RateLimitVerdict | undefined {
    const list = holds(subject, this.#allow, this.#deny);
    if (list === undefined) return undefined;
    this.#counts.listed += 1;
    return listedVerdict(rules, list, weight, this.#context.clock.now());
  }

  #hit({ weight = 1, rule }: HitOptions, where: string): { readonly rules: RuleSet; readonly weight: number } {
    const rules = rule === undefined ? this.#rules : this.#ruleSets.get(rule, `${where}, rule`);
    if (Number.isSafeInteger(weight) && weight >= 1 && weight <= rules.heaviest) return { rules, weight };
    throw new InvalidArgumentError(`${where}, weight`, `a whole number from 1 to ${rules.heaviest}, its limit`, weight);
  }

  #id(subject: string): string {
    return subjectName(this.#name, subject);
  }
}

// The store would say so too, without the name of the limit.
function checkSubject(subject: string, where: string): void {
  if (typeof subject === 'string' && subject !== '') return;
  throw new InvalidArgumentError(`${where}, subject`, 'a non-empty text', subject);
}
