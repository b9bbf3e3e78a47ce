/**
 * A set of frame numbers as ranges `[first, last]`, both included, in order and with a gap between each two. A camera that
 * loses nothing needs one range however long it films.
 */
export type FrameRanges = readonly (readonly [first: number, last: number])[];

/** Whether `frame` is among them. */
export function holdsFrame(ranges: FrameRanges, frame: number): boolean {
  const [first, last] = ranges[firstReaching(ranges, frame)] ?? [Infinity, Infinity];
  return first <= frame && frame <= last;
}

/** The set with `frame` in it. */
export function addFrame(ranges: FrameRanges, frame: number): FrameRanges {
  if (holdsFrame(ranges, frame)) return ranges;
  // All that touch the frame become one with it: none, one, or the two on either side.
  const start = firstReaching(ranges, frame - 1);
  const end = (ranges[start]?.[0] ?? Infinity) > frame + 1 ? start : firstReaching(ranges, frame + 1);
  const stop = (ranges[end]?.[0] ?? Infinity) <= frame + 1 ? end + 1 : end;
  const touched = ranges.slice(start, stop);
  const merged = [
    Math.min(frame, ...touched.map(([first]) => first)),
    Math.max(frame, ...touched.map(lastOf)),
  ] as const;
  return [...ranges.slice(0, start), merged, ...ranges.slice(stop)];
}

/** Where the first range stands that ends at `frame` or later; behind the last one when none does. */
function firstReaching(ranges: FrameRanges, frame: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lastOf(ranges[middle] ?? [0, 0]) < frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastOf([, last]: readonly [number, number]): number {
  return last;
}
