import { describe, expect, it } from 'vitest';
import { parseRules, type RateLimitRules } from '../../src/rate-limit/rule-set.js';
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
    expect(parseRule(rule, 'test')).toMatchObject({ kind: 'fixed-window', capacity: limit, unit: 1, spanMs: windowMs });
  });

  it('of a sliding window keeps hits of a sixtieth together', () => {
    const rule = { algorithm: 'sliding-window', limit: 3, window: '1m' } as const;
    expect(parseRule(rule, 'test')).toEqual({ kind: 'sliding-window', capacity: 3, spanMs: 60_000, grainMs: 1_000 });
    expect(parseRule({ ...rule, window: 7 }, 'test')).toMatchObject({ spanMs: 7, grainMs: 1 });
  });

  it('of a token bucket or of GCRA is whole numbers', () => {
    expect(parseRule({ algorithm: 'token-bucket', capacity: 10, refill: 3, every: '1s' }, 'test')).toEqual({
      kind: 'token-bucket',
      capacity: 10,
      unit: 1,
      refill: 3,
      everyMs: 1_000,
      spanMs: 1_000,
    });
    expect(parseRule({ algorithm: 'gcra', limit: 7, window: '1m', burst: 3 }, 'test')).toEqual({
      kind: 'gcra',
      capacity: 180_000,
      unit: 60_000,
      refill: 7,
      everyMs: 1,
      spanMs: 60_000,
    });
  });

  it.each<[RateLimitRules, string[], number[]]>([
    ['5 per hour', ['l'], [3_600_000]],
    [
      ['5 per second', '100 per hour'],
      ['l/1s', 'l/1h'],
      [1_000, 3_600_000],
    ],
    [
      [
        { limit: 3, window: 1_500 },
        { algorithm: 'sliding-window', limit: 3, window: '15m' },
        { algorithm: 'gcra', limit: 100, window: '1m', burst: 10 },
        { algorithm: 'token-bucket', capacity: 10, refill: 3, every: '2d' },
      ],
      ['l/1500ms', 'l/15m-sliding-window', 'l/1m-gcra', 'l/2d-token-bucket'],
      [1_500, 900_000, 6_000, 691_200_000],
    ],
  ])('in %j has a policy with the time in which it fills', (rules, names, windows) => {
    const { policies } = parseRules(rules, 'l', 'test');
    expect(policies.map(({ name }) => name)).toEqual(names);
    expect(policies.map(({ windowMs }) => windowMs)).toEqual(windows);
  });

  it.each([
    [[]],
    [['5 per hour', '6 per 60 minutes']],
    [
      [
        { algorithm: 'gcra', limit: 1, window: '1h', burst: 1 },
        { algorithm: 'gcra', limit: 2, window: '1h', burst: 1 },
      ],
    ],
    [Array.from({ length: 17 }, (_, n) => `1 per ${n + 1} days`)],
    [['5 per hour', '5 per fortnight']],
  ])('in the set %j is refused', (rules) => {
    expect(() => parseRules(rules as RateLimitRules, 'l', 'rate limit l')).toThrow(/^rate limit l.*: expected /);
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
    { limit: 5, window: '1h', burst: 1 },
    { algorithm: 'leaky', limit: 5, window: '1h' },
    { algorithm: 'sliding-window', limit: 0, window: '1h' },
    { algorithm: 'token-bucket', capacity: 5, refill: 6, every: '1h' },
    { algorithm: 'token-bucket', capacity: 5, refill: 0, every: '1h' },
    { algorithm: 'token-bucket', capacity: 101, refill: 1, every: '365d' },
    { algorithm: 'token-bucket', limit: 5, window: '1h' },
    { algorithm: 'gcra', limit: 5, window: '1h' },
    { algorithm: 'gcra', limit: 5, window: '1h', burst: 0 },
    { algorithm: 'gcra', limit: 5, window: '1h', burst: 2_501_999_793 },
    { algorithm: 'gcra', limit: 2_501_999_793, window: '1h', burst: 1 },
    { algorithm: 'gcra', limit: 1, window: '36500d', burst: 2 },
  ])('%j is refused, saying what is expected', (rule) => {
    expect(() => parseRule(rule as RateLimitRule, 'rate limit enroll')).toThrow(
      /^rate limit enroll.*: expected .*, received /,
    );
  });
});
