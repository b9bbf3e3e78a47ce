/** The largest Integer of RFC 9651, so that headers can say it; far inside what numbers hold exactly. */
export const largestLimit = 999_999_999_999_999;

/** At most `limit` units in a window of `windowMs`, which begins with the first hit admitted while none is open. */
export interface FixedWindow {
  readonly kind: 'fixed-window';
  /** 1 to {@link largestLimit}. */
  readonly limit: number;
  /** 2 ms to 100 years. */
  readonly windowMs: number;
}

/** The answer to a hit, or to the question what a hit would be answered. */
export interface RateLimitVerdict {
  readonly allowed: boolean;
  /** Units that the rule allows. */
  readonly limit: number;
  /** Units left in the window. */
  readonly remaining: number;
  /** Milliseconds until the window ends; 0 when none is open. */
  readonly resetMs: number;
  /** Milliseconds after which the same hit can be admitted; 0 when it was. */
  readonly retryAfterMs: number;
}

/**
 * The contract of the two limiter twins. Each method is one atomic step on one subject under one rule; the same subject
 * under a rule with another window is counted apart. Time is the store's.
 */
export interface RateLimitPort {
  /**
   * Counts a hit of `weight` units, 1 to `rule.limit`, if they fit into the window. A hit that does not fit changes
   * nothing, and prolongs nothing.
   */
  consume(limiter: string, subject: string, rule: FixedWindow, weight: number): Promise<RateLimitVerdict>;
  /** What a hit of one unit would be answered. Changes nothing. */
  peek(limiter: string, subject: string, rule: FixedWindow): Promise<RateLimitVerdict>;
  /** Ends the window; returns whether one was open. */
  reset(limiter: string, subject: string, rule: FixedWindow): Promise<boolean>;
}

/** The verdict on a hit, given the units used after it. */
export function fixedWindowVerdict(
  rule: FixedWindow,
  allowed: boolean,
  used: number,
  resetMs: number,
): RateLimitVerdict {
  const remaining = Math.max(0, rule.limit - used);
  return { allowed, limit: rule.limit, remaining, resetMs, retryAfterMs: allowed ? 0 : resetMs };
}

/** How a rule's count is told apart from those of other rules on the same subject. */
export function ruleSuffix(rule: FixedWindow): string {
  return `:${rule.kind}:${rule.windowMs}`;
}
