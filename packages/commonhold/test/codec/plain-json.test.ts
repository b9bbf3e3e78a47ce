import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainJson } from '../../src/codec/plain-json.js';
import { encodeTagged } from '../../src/codec/tag.js';
import { jsonValue, storableValue } from './arbitrary-value.js';

const limits = { maxValueBytes: 2 ** 20, maxDepth: 64 };

describe('isPlainJson', () => {
  it('passes what JSON text holds', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(isPlainJson(value, limits)).toBe(true);
      }),
    );
  });

  it('passes exactly what comes back from JSON', () => {
    fc.assert(
      fc.property(storableValue, (value) => {
        const text = JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? null : member));
        expect(isPlainJson(value, limits)).toBe(isDeepStrictEqual(JSON.parse(text), value));
      }),
      { numRuns: 3000 },
    );
  });

  it('agrees with the tagging about what needs no tags', () => {
    fc.assert(
      fc.property(storableValue, (value) => {
        const stored = encodeTagged(value, 'test', limits);
        expect(typeof stored === 'string' && !stored.startsWith('\u0002')).toBe(isPlainJson(value, limits));
      }),
      { numRuns: 3000 },
    );
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a boxed number', Object(1)],
    ['an instance', new URL('http://localhost')],
    ['a Date, which has toJSON', new Date(0)],
    ['an own toJSON', { toJSON: () => 1 }],
    ['an own __proto__', JSON.parse('{"__proto__":1}')],
    ['a hole', [1, , 2]], // oxlint-disable-line no-sparse-arrays -- the case itself
    ['undefined in an array', [undefined]],
  ])('does not pass %s, at any place', (_, value) => {
    for (const around of [value, [value], [1, [value]], { a: [value] }])
      expect(isPlainJson(around, limits)).toBe(false);
  });

  it('never counts more than the text has, and enough to stop early', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const { length } = JSON.stringify(value);
        expect(isPlainJson(value, { maxDepth: 64, maxValueBytes: length })).toBe(true);
      }),
    );
    expect(isPlainJson('x'.repeat(100), { maxDepth: 64, maxValueBytes: 99 })).toBe(false);
    expect(isPlainJson(Array(100).fill(1), { maxDepth: 64, maxValueBytes: 199 })).toBe(false);
    expect(isPlainJson({ ['x'.repeat(100)]: 1 }, { maxDepth: 64, maxValueBytes: 101 })).toBe(false);
  });
});
