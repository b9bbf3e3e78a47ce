import { array, assert, integer, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteRange, countBytes, covers, missingRanges, withRange } from '../../src/files/byte-ranges.js';

const size = 40;
const range = tuple(integer({ min: 0, max: size - 1 }), integer({ min: 0, max: size - 1 })).map(([a, b]): ByteRange => [
  Math.min(a, b),
  Math.max(a, b),
]);

/** The same by one mark a byte. */
function marked(ranges: readonly ByteRange[]): boolean[] {
  return Array.from({ length: size }, (_, byte) => ranges.some(([first, last]) => first <= byte && byte <= last));
}

describe('ranges of bytes', () => {
  it('hold what was added, in whatever order it came', () => {
    assert(
      property(array(range, { maxLength: 12 }), range, (added, wanted) => {
        const ranges = added.reduce<ByteRange[]>(withRange, []);
        const marks = marked(added);
        expect(marked(ranges)).toEqual(marks);
        expect(countBytes(ranges)).toBe(marks.filter(Boolean).length);
        expect(covers(ranges, wanted)).toBe(marks.slice(wanted[0], wanted[1] + 1).every(Boolean));
        const missing = missingRanges(ranges, size);
        expect(marked(missing)).toEqual(marks.map((mark) => !mark));
        // In order, and with a gap between each two.
        for (const [index, [first]] of ranges.slice(1).entries())
          expect(first).toBeGreaterThan((ranges[index]?.[1] ?? 0) + 1);
      }),
    );
  });

  it('become one where they touch', () => {
    expect(
      withRange(
        [
          [0, 9],
          [20, 29],
        ],
        [10, 19],
      ),
    ).toEqual([[0, 29]]);
  });
});
