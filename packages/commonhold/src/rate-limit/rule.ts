import { type Duration, durationMs, longestDurationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { type Bucket, largestLimit, type Meter, type SlidingWindow } from './rate-limit-port.js';
import { wholeCeil } from './whole.js';

/**
 * Units in a window. `fixed-window`, the default, begins with the first hit admitted while none is open and ends after its
 * time; two adjoining ones may together admit twice the limit in one window's time. `sliding-window` never admits more
 * than `limit` in any stretch of `window`: it keeps the hits of each sixtieth of it together (at least 1 ms) and counts
 * them until the last is old enough. It is not the weighted mean of two windows that @upstash/ratelimit and Cloudflare use,
 * which admits more than the limit where hits come unevenly.
 */
export interface WindowRule {
  readonly algorithm?: 'fixed-window' | 'sliding-window';
  /** Units admitted in one window: 1 to 999,999,999,999,999. */
  readonly limit: number;
  /** How long a window lasts: up to 100 years. Less than 2 ms counts as 2 ms. */
  readonly window: Duration;
}

/**
 * A bucket of `capacity` tokens, full at first, of which a hit takes its weight. From the hit that finds it full, `refill`
 * tokens come back after every `every`, as in `Ratelimit.tokenBucket` of @upstash/ratelimit.
 */
export interface TokenBucketRule {
  readonly algorithm: 'token-bucket';
  /** 1 to 999,999,999,999,999; it must be full again within 100 years. */
  readonly capacity: number;
  /** 1 to `capacity`. */
  readonly refill: number;
  /** Less than 2 ms counts as 2 ms. */
  readonly every: Duration;
}

/**
 * The generic cell rate algorithm (ITU-T I.371; redis-cell; B. Leach, "Rate limiting, cells, and GCRA"): hits are spread
 * evenly, `limit` in each `window`, and `burst` may come at once. In any time t no more than `burst + limit * t / window`
 * are admitted. `burst` is what redis-cell calls `max_burst` and one.
 */
export interface GcraRule {
  readonly algorithm: 'gcra';
  /** 1 to 999,999,999,999,999. Times `window` in milliseconds it stays below 2^53, so that nothing is rounded. */
  readonly limit: number;
  readonly window: Duration;
  /** 1 or more. Times `window` in milliseconds it stays below 2^53. */
  readonly burst: number;
}

/**
 * How many hits in how long: `'5 per hour'`, `'10/minute'`, `'100 per 15 minutes'`, `'1 per second'`, with `second`,
 * `minute`, `hour` or `day`, singular or plural, which are fixed windows; or all said apart.
 */
export type RateLimitRule = string | WindowRule | TokenBucketRule | GcraRule;

const pattern = /^([1-9]\d*)(?: per | ?\/ ?)(?:([1-9]\d*) )?(second|minute|hour|day)s?$/;
const unitMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const expected =
  'a rule such as "5 per hour", "10/minute" or "100 per 15 minutes", { limit, window }, { algorithm: "token-bucket", ' +
  'capacity, refill, every } or { algorithm: "gcra", limit, window, burst }';

const windowNames = { algorithm: true, limit: true, window: true } satisfies OptionNames<WindowRule>;
const bucketNames = {
  algorithm: true,
  capacity: true,
  refill: true,
  every: true,
} satisfies OptionNames<TokenBucketRule>;
const gcraNames = { algorithm: true, limit: true, window: true, burst: true } satisfies OptionNames<GcraRule>;

/** Grains of a sliding window: how late a unit comes back at most, and what a subject costs. */
const grainsInWindow = 60;

/** @throws InvalidArgumentError naming `where`. */
export function parseRule(rule: RateLimitRule, where: string): Meter {
  if (typeof rule === 'string') return parseText(rule, where);
  if (typeof rule !== 'object' || rule === null) throw new InvalidArgumentError(where, expected, rule);
  switch (rule.algorithm) {
    case undefined:
    case 'fixed-window':
    case 'sliding-window':
      checkOptionNames(where, rule, windowNames);
      return windowMeter(rule, where);
    case 'token-bucket':
      checkOptionNames(where, rule, bucketNames);
      return tokenBucket(rule, where);
    case 'gcra':
      checkOptionNames(where, rule, gcraNames);
      return gcra(rule, where);
    default:
      throw new InvalidArgumentError(`${where}, algorithm`, expected, (rule as { algorithm: unknown }).algorithm);
  }
}

function parseText(rule: string, where: string): Meter {
  const [, limit, count = '1', unit = ''] = pattern.exec(rule) ?? [];
  if (limit === undefined) throw new InvalidArgumentError(where, expected, rule);
  return windowMeter({ limit: Number(limit), window: Number(count) * (unitMs[unit] ?? Number.NaN) }, where);
}

function windowMeter({ algorithm, limit, window }: WindowRule, where: string): Bucket | SlidingWindow {
  const capacity = units(limit, `${where}, limit`);
  const spanMs = span(window, `${where}, window`);
  if (algorithm === 'sliding-window') {
    return { kind: algorithm, capacity, spanMs, grainMs: Math.ceil(spanMs / grainsInWindow) };
  }
  return { kind: 'fixed-window', capacity, unit: 1, refill: largestLimit, everyMs: spanMs, spanMs };
}

function tokenBucket(rule: TokenBucketRule, where: string): Bucket {
  const capacity = units(rule.capacity, `${where}, capacity`);
  const refill = units(rule.refill, `${where}, refill`, capacity);
  const everyMs = span(rule.every, `${where}, every`);
  if (wholeCeil(capacity, refill) * everyMs > longestDurationMs) {
    throw new InvalidArgumentError(`${where}, refill`, 'enough to fill the bucket within 100 years', rule.refill);
  }
  return { kind: 'token-bucket', capacity, unit: 1, refill, everyMs, spanMs: everyMs };
}

// In shares of a unit that come back each millisecond, all numbers are whole.
function gcra(rule: GcraRule, where: string): Bucket {
  const spanMs = span(rule.window, `${where}, window`);
  const most = Math.min(largestLimit, Math.floor(Number.MAX_SAFE_INTEGER / spanMs));
  const refill = units(rule.limit, `${where}, limit`, most);
  const capacity = units(rule.burst, `${where}, burst`, most) * spanMs;
  if (wholeCeil(capacity, refill) > longestDurationMs) {
    throw new InvalidArgumentError(`${where}, burst`, 'a burst that is forgotten within 100 years', rule.burst);
  }
  return { kind: 'gcra', capacity, unit: spanMs, refill, everyMs: 1, spanMs };
}

function units(value: number, where: string, most: number = largestLimit): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new InvalidArgumentError(where, `a whole number from 1 to ${most}`, value);
}

// A window's last millisecond is a native expiry, which cannot be shorter than 1 ms.
function span(duration: Duration, where: string): number {
  return Math.max(2, durationMs(duration, where));
}
