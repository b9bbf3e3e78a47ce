import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addFrame, type FrameRanges, holdsFrame } from '../../src/tracking/frame-ranges.js';

function rangesOf(frames: readonly number[]): FrameRanges {
  return frames.reduce<FrameRanges>(addFrame, []);
}

describe('frame ranges', () => {
  it.each([
    ['frames in order', [1, 2, 3], [[1, 3]]],
    ['frames in reverse', [3, 2, 1], [[1, 3]]],
    [
      'a gap',
      [1, 3],
      [
        [1, 1],
        [3, 3],
      ],
    ],
    ['a gap that closes', [1, 3, 2], [[1, 3]]],
    ['a frame again', [5, 5], [[5, 5]]],
    [
      'one between two that stay apart',
      [1, 9, 5],
      [
        [1, 1],
        [5, 5],
        [9, 9],
      ],
    ],
    [
      'the first and the largest of all',
      [0, Number.MAX_SAFE_INTEGER],
      [
        [0, 0],
        [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
      ],
    ],
  ])('%s', (_name, frames, expected) => {
    expect(rangesOf(frames)).toEqual(expected);
  });

  it('hold what a set holds, in order and never touching, whatever comes in whatever order', () => {
    const frames = array(integer({ min: 0, max: 60 }), { maxLength: 80 });
    assert(
      property(frames, (given) => {
        const ranges = rangesOf(given);
        const set = new Set(given);
        for (let frame = 0; frame <= 61; frame += 1) expect(holdsFrame(ranges, frame)).toBe(set.has(frame));
        for (const [index, [first, last]] of ranges.entries()) {
          expect(first).toBeLessThanOrEqual(last);
          expect(first).toBeGreaterThan((ranges[index - 1]?.[1] ?? -2) + 1);
        }
      }),
    );
  });

  it('stay one range through a hundred thousand frames', () => {
    let ranges: FrameRanges = [];
    for (let frame = 1; frame <= 100_000; frame += 1) ranges = addFrame(ranges, frame);
    expect(ranges).toEqual([[1, 100_000]]);
  });
});
