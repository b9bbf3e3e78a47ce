import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Duration, durationMs, durationMsOrForever, longestDurationMs } from '../src/duration.js';

describe('durationMs', () => {
  it.each<[Duration, number]>([
    [1, 1],
    [500, 500],
    [0.1, 1],
    [Number.MIN_VALUE, 1],
    [1.5, 2],
    ['1ms', 1],
    ['0.01ms', 1],
    ['500 ms', 500],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['1.1h', 3_960_000],
    ['8.2h', 29_520_000],
    ['2m', 120_000],
    ['7d', 604_800_000],
    ['30d', 2_592_000_000],
    ['36500d', longestDurationMs],
    [2 ** 31, 2 ** 31],
  ])('reads %j as %d ms', (duration, ms) => {
    expect(durationMs(duration, 'ttl')).toBe(ms);
  });

  it.each([
    0,
    -0,
    -1,
    -0.5,
    Number.NaN,
    Infinity,
    -Infinity,
    longestDurationMs + 1,
    1e300,
    '0s',
    '0ms',
    '-1s',
    '+1s',
    '1',
    '',
    ' ',
    's',
    '1S',
    '1 sec',
    '1  s',
    ' 1s',
    '1s ',
    '1.s',
    '.5s',
    '1e3s',
    '0x10s',
    '1,5s',
    '1s1s',
    '1s\n',
    '36501d',
    'Infinity',
    '٣s',
    null,
    undefined,
    true,
    {},
    [],
    ['1s'],
    10n,
    Symbol('s'),
    new Date(5),
  ])('refuses %s', (duration) => {
    expect(() => durationMs(duration as Duration, 'cache ttl')).toThrow(
      expect.objectContaining({
        code: 'InvalidArgument',
        message: expect.stringMatching(
          /^cache ttl: expected a duration from 1 ms to 100 years, such as 500 or "30s", received /,
        ) as string,
      }),
    );
  });

  it('is a whole number of milliseconds, never less than asked and not one more than needed', () => {
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: longestDurationMs - 1, noNaN: true }), (asked) => {
        const ms = durationMs(asked, 'ttl');
        expect(Number.isSafeInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(asked);
        expect(ms - 1 < asked || ms === 1).toBe(true);
      }),
    );
  });

  it('reads decimals as people do', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), unit, (hundredths, name) => {
        const text = `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}${name}` as Duration;
        expect(durationMs(text, 'ttl')).toBe(Math.ceil((hundredths * units[name]) / 100));
      }),
    );
  });
});

describe('durationMsOrForever', () => {
  it('knows two ways to say for ever', () => {
    expect(durationMsOrForever(undefined, 'ttl')).toBeUndefined();
    expect(durationMsOrForever(Infinity, 'ttl')).toBeUndefined();
    expect(durationMsOrForever('2s', 'ttl')).toBe(2_000);
  });

  it.each([0, -Infinity, Number.NaN, null, 'Infinity'])('refuses %s', (duration) => {
    expect(() => durationMsOrForever(duration as Duration, 'ttl')).toThrow(/^ttl: /);
  });
});
