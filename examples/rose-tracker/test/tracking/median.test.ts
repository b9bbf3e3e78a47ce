import { describe, expect, it } from 'vitest';
import { median } from '../../src/tracking/median.js';

describe('median', () => {
  it.each([
    [[], 0],
    [[7], 7],
    [[3, 1, 2], 2],
    [[10, 9, 100], 10],
    [[1, 3], 2],
    [[2, 3], 3],
    [[0, 1], 1],
    [[5, 5, 5, 6], 5],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 100], 6],
  ])('of %j is %i', (counts, expected) => {
    expect(median(counts)).toBe(expected);
  });

  it('leaves its input as it was', () => {
    const counts = [3, 1, 2];
    median(counts);
    expect(counts).toEqual([3, 1, 2]);
  });
});
