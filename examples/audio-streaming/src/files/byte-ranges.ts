/** Bytes from the first to the last, both included, counted from 0. */
export type ByteRange = readonly [first: number, last: number];

/** The ranges with one more, in order, those that overlap or touch made one. */
export function withRange(ranges: readonly ByteRange[], added: ByteRange): ByteRange[] {
  let [first, last] = added;
  const apart: ByteRange[] = [];
  for (const range of ranges) {
    if (range[1] + 1 < first || range[0] > last + 1) apart.push(range);
    else [first, last] = [Math.min(first, range[0]), Math.max(last, range[1])];
  }
  return [...apart, [first, last] as const].toSorted((a, b) => a[0] - b[0]);
}

/** Whether one of the ranges holds all of `wanted`. */
export function covers(ranges: readonly ByteRange[], [first, last]: ByteRange): boolean {
  return ranges.some((range) => range[0] <= first && last <= range[1]);
}

/** Bytes in ranges that do not overlap. */
export function countBytes(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** What is not in the ranges, which are in order and apart, of a file of `size` bytes. */
export function missingRanges(ranges: readonly ByteRange[], size: number): ByteRange[] {
  const missing: ByteRange[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) missing.push([next, first - 1]);
    next = last + 1;
  }
  if (next < size) missing.push([next, size - 1]);
  return missing;
}
