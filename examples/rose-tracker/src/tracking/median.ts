/** The median of some counts, rounded to a whole number, a half upwards; 0 of none. */
export function median(counts: readonly number[]): number {
  const sorted = counts.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? 0) : upper;
  return Math.round((lower + upper) / 2);
}
