import { describe, expect, it } from 'vitest';
import { parseRule, type RateLimitRule } from '../../src/rate-limit/rule.js';

describe('a rule', () => {
  it.each<[RateLimitRule, number, number]>([
    ['5 per hour', 5, 3_600_000],
    ['10/minute', 10, 60_000],
    ['10 / minute', 10, 60_000],
    ['100 per 15 minutes', 100, 900_000],
    ['1 per second', 1, 1_000],
    ['1/2 days', 1, 172_800_000],
    ['999999999999999 per day', 999_999_999_999_999, 86_400_000],
    [{ limit: 3, window: '90s' }, 3, 90_000],
    [{ limit: 3, window: 500 }, 3, 500],
    [{ limit: 3, window: 0.1 }, 3, 2],
    [{ limit: 3, window: '36500d' }, 3, 36_500 * 86_400_000],
  ])('%j is %d in %d ms', (rule, limit, windowMs) => {
    expect(parseRule(rule, 'test')).toEqual({ kind: 'fixed-window', limit, windowMs });
  });

  it.each([
    '',
    '5',
    '5 per',
    'per hour',
    '5 per fortnight',
    '5 per 0 hours',
    '0 per hour',
    '-5 per hour',
    '1.5 per hour',
    '05 per hour',
    '5  per hour',
    ' 5 per hour',
    '5 per hour\n',
    '5 per hour, 1 per second',
    '5 PER HOUR',
    '5perhour',
    '5 per 1.5 hours',
    '1000000000000000 per hour',
    '5 per 36501 days',
    '5 per constructor',
    null,
    undefined,
    5,
    {},
    { limit: 5 },
    { limit: 0, window: '1h' },
    { limit: 1.5, window: '1h' },
    { limit: Number.NaN, window: '1h' },
    { limit: '5', window: '1h' },
    { limit: 5, window: 0 },
    { limit: 5, window: Infinity },
    { limit: 5, window: '1 hour' },
  ])('%j is refused, saying what is expected', (rule) => {
    expect(() => parseRule(rule as RateLimitRule, 'rate limit enroll')).toThrow(
      /^rate limit enroll.*: expected .*, received /,
    );
  });
});
