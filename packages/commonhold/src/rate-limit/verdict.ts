import type { RateLimitPolicy } from './policy.js';
import type { Reading } from './rate-limit-port.js';
import type { RuleSet } from './rule-set.js';

/** How one rule stands, after the hit if it was admitted. */
export interface PolicyVerdict extends RateLimitPolicy {
  /** Units left; 0 while the subject is blocked. */
  readonly remaining: number;
  /** Milliseconds until all units are left again; 0 when they are. */
  readonly resetMs: number;
  /** Milliseconds after which this rule would admit the hit; 0 when it does. */
  readonly retryAfterMs: number;
}

/** The answer to a hit, or to the question what a hit would be answered. */
export interface RateLimitVerdict {
  readonly allowed: boolean;
  /**
   * Why it was refused: by a `limit`, because the subject is `blocked`, or `denied` by the limiter's own list. Undefined when
   * it was admitted.
   */
  readonly reason: 'limit' | 'blocked' | 'denied' | undefined;
  /** Of the rule that stands worst, as are `remaining` and `resetMs`: units that it allows; 0 for a denied subject. */
  readonly limit: number;
  /** Units left. */
  readonly remaining: number;
  /** Milliseconds until all units are left again; 0 when they are. */
  readonly resetMs: number;
  /** Milliseconds after which the same hit can be admitted; 0 when it was; Infinity for a denied subject. */
  readonly retryAfterMs: number;
  /** What the hit weighed. */
  readonly weight: number;
  /** The store's time of the hit, in milliseconds since 1970. */
  readonly atMs: number;
  /** One for each rule; none for a subject that a list denies. */
  readonly policies: readonly PolicyVerdict[];
  /** The store was away: this process answered, by its share of the limit or, where it is `open`, without one. */
  readonly local?: true;
}

/** What a reading means under `rules`. */
export function verdictOf(rules: RuleSet, reading: Reading, weight: number): RateLimitVerdict {
  const { allowed, atMs, blockedMs } = reading;
  const policies = rules.policies.map(({ name, limit, windowMs }, index): PolicyVerdict => {
    const meter = reading.meters[index];
    if (blockedMs > 0) {
      const retryAfterMs = Math.max(blockedMs, meter?.retryAfterMs ?? 0);
      return { name, limit, windowMs, remaining: 0, resetMs: Math.max(blockedMs, meter?.resetMs ?? 0), retryAfterMs };
    }
    const { remaining = 0, resetMs = 0, retryAfterMs = 0 } = meter ?? {};
    return { name, limit, windowMs, remaining, resetMs, retryAfterMs };
  });
  const reason = allowed ? undefined : blockedMs > 0 ? 'blocked' : 'limit';
  const verdict = summary({ allowed, reason, weight, atMs, policies });
  return reading.local === undefined ? verdict : { ...verdict, local: reading.local };
}

/** The verdict on a subject that a list names. Nothing is counted. */
export function listedVerdict(rules: RuleSet, allowed: boolean, weight: number, atMs: number): RateLimitVerdict {
  if (!allowed) {
    const nothing = { limit: 0, remaining: 0, resetMs: 0, retryAfterMs: Infinity };
    return { allowed, reason: 'denied', ...nothing, weight, atMs, policies: [] };
  }
  const policies = rules.policies.map((policy) => ({
    ...policy,
    remaining: policy.limit,
    resetMs: 0,
    retryAfterMs: 0,
  }));
  return summary({ allowed, reason: undefined, weight, atMs, policies });
}

/** A verdict by its policies: the one that refuses longest, else the one with the least left, speaks for all. */
export function summary(
  verdict: Pick<RateLimitVerdict, 'allowed' | 'reason' | 'weight' | 'atMs' | 'policies'>,
): RateLimitVerdict {
  const { allowed, reason, weight, atMs, policies } = verdict;
  const worst = policies.reduce((worse, policy) => (isWorse(policy, worse) ? policy : worse));
  const { limit, remaining, resetMs, retryAfterMs } = worst;
  return { allowed, reason, limit, remaining, resetMs, retryAfterMs, weight, atMs, policies };
}

/** A verdict as it stands `elapsedMs` later, when nothing else has happened. */
export function later(verdict: RateLimitVerdict, elapsedMs: number): RateLimitVerdict {
  const past = (ms: number): number => Math.max(0, Math.ceil(ms - elapsedMs));
  const policies = verdict.policies.map((policy) => ({
    ...policy,
    resetMs: past(policy.resetMs),
    retryAfterMs: past(policy.retryAfterMs),
  }));
  return { ...verdict, resetMs: past(verdict.resetMs), retryAfterMs: past(verdict.retryAfterMs), policies };
}

function isWorse(one: PolicyVerdict, other: PolicyVerdict): boolean {
  if (one.retryAfterMs !== other.retryAfterMs) return one.retryAfterMs > other.retryAfterMs;
  return one.remaining < other.remaining;
}
