import { InvalidArgumentError } from '../errors.js';
import { encodePart } from '../keys.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import type { RateLimitPolicy } from './headers.js';
import type { FixedWindow, RateLimitPort, RateLimitVerdict } from './rate-limit-port.js';
import { parseRule, type RateLimitRule } from './rule.js';

/** What one hit may say of itself. */
export interface ConsumeOptions {
  /** Units that this hit costs: a whole number from 1, the default, to the limit. */
  readonly weight?: number;
}

const consumeOptionNames = { weight: true } satisfies OptionNames<ConsumeOptions>;

/**
 * A limit on how often each subject (an address, a user) may do something, over all processes together. A subject's
 * window begins with its first admitted hit and ends after the rule's time, whatever happens in it: refused hits do not
 * count and prolong nothing. The limit is never exceeded within a window, however many hits race.
 *
 * A refusal is a verdict, not an error. Every method rejects with `Unavailable` when the store certainly did nothing,
 * `consume` and `reset` with `OutcomeUnknown` when they may have happened, and all with `CorruptState` when another
 * program's value is in the way. None of these admits the hit: the caller decides.
 */
export class RateLimit {
  /** Name, limit and window, for {@link rateLimitHeaders}. */
  readonly policy: RateLimitPolicy;
  readonly #name: string;
  readonly #rule: FixedWindow;
  readonly #port: RateLimitPort;

  /**
   * Use `state.rateLimit(name, rule)`.
   * @throws InvalidArgumentError for an empty name or a bad rule, saying what was expected.
   */
  constructor(name: string, rule: RateLimitRule, port: RateLimitPort) {
    encodePart(name);
    this.#name = name;
    this.#rule = parseRule(rule, `rate limit ${name}`);
    this.#port = port;
    this.policy = Object.freeze({ name, limit: this.#rule.limit, windowMs: this.#rule.windowMs });
  }

  /** Counts a hit of `subject`, any non-empty text, unless it would exceed the limit. */
  async consume(subject: string, options: ConsumeOptions = {}): Promise<RateLimitVerdict> {
    checkOptionNames(`rate limit ${this.#name}, consume`, options, consumeOptionNames);
    const { weight = 1 } = options;
    const { limit } = this.#rule;
    if (!Number.isSafeInteger(weight) || weight < 1 || weight > limit) {
      const expected = `a whole number from 1 to ${limit}, its limit`;
      throw new InvalidArgumentError(`rate limit ${this.#name}, weight`, expected, weight);
    }
    return this.#port.consume(this.#name, subject, this.#rule, weight);
  }

  /** What a hit of one unit would be answered now, without counting one. */
  peek(subject: string): Promise<RateLimitVerdict> {
    return this.#port.peek(this.#name, subject, this.#rule);
  }

  /** Forgets what `subject` used; returns whether there was anything. */
  reset(subject: string): Promise<boolean> {
    return this.#port.reset(this.#name, subject, this.#rule);
  }
}
