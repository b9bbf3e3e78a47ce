import { describe, expect, it } from 'vitest';
import { batchesOf } from '../../src/map/map-batches.js';

const lengths = (bytes: number, count: number, changes: boolean): number[] => {
  const items = Array.from({ length: count }, (_, n) => [`k${n}`, 'x'.repeat(bytes)] as const);
  return batchesOf(items, changes).map((batch) => batch.length);
};

describe('batches of a map', () => {
  it('hold 1,000 keys, and about 1 MiB or, where it is a message, 64 KiB', () => {
    expect(lengths(1, 2_001, false)).toEqual([1_000, 1_000, 1]);
    expect(lengths(300_000, 7, false)).toEqual([3, 3, 1]);
    expect(lengths(30_000, 5, true)).toEqual([2, 2, 1]);
    expect(lengths(2_000_000, 2, false)).toEqual([1, 1]);
    expect(lengths(1, 0, false)).toEqual([]);
  });

  it('keep every item in its order', () => {
    const items = Array.from({ length: 2_500 }, (_, n) => [`k${n}`] as const);
    expect(batchesOf(items, true).flat()).toEqual(items);
  });
});
