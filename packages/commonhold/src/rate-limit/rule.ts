import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { type FixedWindow, largestLimit } from './rate-limit-port.js';

/**
 * How many hits in how long: `'5 per hour'`, `'10/minute'`, `'100 per 15 minutes'`, `'1 per second'`, with `second`,
 * `minute`, `hour` or `day`, singular or plural; or both given apart.
 */
export type RateLimitRule =
  | string
  | {
      /** Units admitted in one window: 1 to 999,999,999,999,999. */
      readonly limit: number;
      /** How long a window lasts: up to 100 years. Less than 2 ms counts as 2 ms. */
      readonly window: Duration;
    };

const pattern = /^([1-9]\d*)(?: per | ?\/ ?)(?:([1-9]\d*) )?(second|minute|hour|day)s?$/;
const unitMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const expected = 'a rule such as "5 per hour", "10/minute" or "100 per 15 minutes", or { limit, window }';

/** @throws InvalidArgumentError naming `where`. */
export function parseRule(rule: RateLimitRule, where: string): FixedWindow {
  if (typeof rule === 'string') return parseText(rule, where);
  if (typeof rule !== 'object' || rule === null) throw new InvalidArgumentError(where, expected, rule);
  return fixedWindow(rule.limit, rule.window, where);
}

function parseText(rule: string, where: string): FixedWindow {
  const [, limit, count = '1', unit = ''] = pattern.exec(rule) ?? [];
  if (limit === undefined) throw new InvalidArgumentError(where, expected, rule);
  return fixedWindow(Number(limit), Number(count) * (unitMs[unit] ?? Number.NaN), where);
}

function fixedWindow(limit: number, window: Duration, where: string): FixedWindow {
  if (!Number.isInteger(limit) || limit < 1 || limit > largestLimit) {
    throw new InvalidArgumentError(`${where}, limit`, `a whole number from 1 to ${largestLimit}`, limit);
  }
  // A window's last millisecond is a native expiry, which cannot be shorter than 1 ms.
  const windowMs = Math.max(2, durationMs(window, `${where}, window`));
  return { kind: 'fixed-window', limit, windowMs };
}
