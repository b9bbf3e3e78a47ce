import { spread } from './statistics.mjs';

/** @typedef {import('./harness.mjs').Outcome} Outcome */

/**
 * A figure with three digits that count.
 * @param {number} value
 * @returns {string}
 */
export function figure(value) {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  if (value >= 1e4) return `${Math.round(value / 1000)}k`;
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

// Says what a busy machine does not change much: how much work an operation is.
function cost(/** @type {import('./harness.mjs').Spent} */ { hereUs, redisUs }) {
  return `(${hereUs.toFixed(1)} us here, ${redisUs.toFixed(1)} us in Redis)`;
}

/**
 * One line of the report, and one below it for each that took part.
 * @param {Outcome} outcome
 * @returns {string}
 */
export function describe({ title, unit, goal, results, ratio, bestPeer, met }) {
  const against = bestPeer === undefined ? figure(ratio) : `${ratio.toFixed(2)} of ${bestPeer}`;
  const head = `${met ? 'met   ' : 'MISSED'} ${title}: ${against} (goal ${goal})`;
  const rows = results.map(({ name, kind, summary, spent }) => {
    const label = kind === 'tuned' ? `${name} (tuned)` : name;
    const range = `±${Math.round(spread(summary) * 50)} %`;
    const row = `         ${label.padEnd(38)} ${figure(summary.median).padStart(7)} ${unit}  ${range}`;
    return spent === undefined ? row : `${row}  ${cost(spent)}`;
  });
  return [head, ...rows].join('\n');
}
