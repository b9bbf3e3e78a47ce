import type { RateLimitRules } from './rule-set.js';

/** What a hit may say of itself. */
export interface HitOptions {
  /** Units that this hit costs: a whole number from 1, the default, to the smallest limit. */
  readonly weight?: number;
  /** The rule or rules for this call, such as those of the caller's plan. Default: those of the limiter. */
  readonly rule?: RateLimitRules;
}
