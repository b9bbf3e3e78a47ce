/** @typedef {{ median: number, low: number, high: number }} Summary what several samples of one thing say */

/**
 * Median, lowest and highest of at least one sample.
 * @param {readonly number[]} samples
 * @returns {Summary}
 */
export function summarize(samples) {
  const sorted = samples.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  return { median, low: sorted[0] ?? Number.NaN, high: sorted.at(-1) ?? Number.NaN };
}

/**
 * How far the samples lie apart, as a share of their median.
 * @param {Summary} summary
 * @returns {number}
 */
export function spread({ median, low, high }) {
  return median === 0 ? 0 : (high - low) / median;
}

/**
 * A goal such as `>= 2.2` or `<= 0.85`, and whether `value` meets it.
 * @param {string} goal
 * @param {number} value
 * @returns {boolean}
 */
export function meets(goal, value) {
  const [, sign, text] = /^(>=|<=) (\d+(?:\.\d+)?)$/.exec(goal) ?? [];
  if (text === undefined) throw new Error(`No goal: ${goal}`);
  return sign === '>=' ? value >= Number(text) : value <= Number(text);
}

/**
 * The peer that is hardest to beat: the highest where more is better, as goals with `>=` say, else the lowest.
 * @template {{ summary: Summary }} Result
 * @param {readonly Result[]} peers
 * @param {string} goal
 * @returns {Result | undefined}
 */
export function best(peers, goal) {
  const direction = goal.startsWith('>=') ? -1 : 1;
  return peers.toSorted((one, other) => direction * (one.summary.median - other.summary.median))[0];
}
