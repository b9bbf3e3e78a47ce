import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCron } from '../src/cron.js';

const at = (text: string): number => Date.parse(`${text}Z`);
const after = (expression: string, text: string, count = 1): string[] => {
  const next = parseCron(expression);
  const found: string[] = [];
  for (let ms = at(text); found.length < count; found.push(new Date(ms).toISOString().slice(0, 16))) ms = next(ms);
  return found;
};

describe('cron', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00', ['2026-01-01T00:01', '2026-01-01T00:02']],
    ['30 4 * * *', '2026-01-01T04:30', ['2026-01-02T04:30', '2026-01-03T04:30']],
    [
      '*/20 9-10 * * *',
      '2026-01-01T09:50',
      ['2026-01-01T10:00', '2026-01-01T10:20', '2026-01-01T10:40', '2026-01-02T09:00'],
    ],
    [
      '5/25 0 * * *',
      '2026-01-01T00:00',
      ['2026-01-01T00:05', '2026-01-01T00:30', '2026-01-01T00:55', '2026-01-02T00:05'],
    ],
    ['0 0 31 * *', '2026-01-31T00:00', ['2026-03-31T00:00', '2026-05-31T00:00']],
    ['0 0 29 2 *', '2026-01-01T00:00', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['0 0 29 2 *', '2096-03-01T00:00', ['2104-02-29T00:00']],
    ['0 12 * * mon-fri', '2026-01-02T12:00', ['2026-01-05T12:00', '2026-01-06T12:00']],
    ['0 0 * JAN,Jul sun', '2026-01-20T00:00', ['2026-01-25T00:00', '2026-07-05T00:00']],
    ['0 0 * * 0', '2026-01-01T00:00', ['2026-01-04T00:00']],
    ['0 0 * * 7', '2026-01-01T00:00', ['2026-01-04T00:00']],
    [
      '0 0 13 * fri',
      '2026-02-06T00:00',
      ['2026-02-13T00:00', '2026-02-20T00:00', '2026-02-27T00:00', '2026-03-06T00:00', '2026-03-13T00:00'],
    ],
    ['0 0 */10 * fri', '2026-05-01T00:00', ['2026-07-31T00:00', '2026-08-21T00:00']],
    ['59 23 31 12 *', '2026-12-31T23:59', ['2027-12-31T23:59']],
  ])('%s after %s', (expression, text, expected) => {
    expect(after(expression, text, expected.length)).toEqual(expected);
  });

  it.each([
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * 32 * *',
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    '1,,2 * * * *',
    '-1 * * * *',
    'a * * * *',
    '* * * foo *',
    '0 0 30 2 *',
    '1.5 * * * *',
    '@daily',
  ])('refuses %s', (expression) => {
    expect(() => parseCron(expression)).toThrow(/schedule cron/);
  });

  it('refuses what is no text', () => {
    expect(() => parseCron(5 as never)).toThrow(/schedule cron/);
  });

  it('finds a day that comes once in decades', () => {
    const next = parseCron('0 0 29 2 */7')(Date.UTC(2088, 1, 29));
    expect(new Date(next).toISOString()).toBe('2128-02-29T00:00:00.000Z');
  });

  it('names each moment once, and none between', () => {
    const part = (from: number, to: number): fc.Arbitrary<string> =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: from, max: to }).map(String),
        fc.integer({ min: 1, max: 9 }).map((step) => `*/${step}`),
      );
    const expressions = fc.tuple(part(0, 59), part(0, 23), part(1, 28), part(1, 12), part(0, 6));
    fc.assert(
      fc.property(expressions, fc.integer({ min: 0, max: 2_000_000_000 }), (parts, seconds) => {
        const nextAfter = parseCron(parts.join(' '));
        const next = nextAfter(seconds * 1_000);
        expect(next % 60_000).toBe(0);
        expect(next).toBeGreaterThan(seconds * 1_000);
        expect(nextAfter(next - 1)).toBe(next);
        expect(nextAfter(next)).toBeGreaterThan(next);
      }),
      { numRuns: 200 },
    );
  });
});
