import type { GcraRule, RateLimitRule, TokenBucketRule, WindowRule } from '../../src/rate-limit/rule.js';

/** A hit that was admitted. */
export interface Hit {
  readonly atMs: number;
  readonly weight: number;
}

/**
 * What a rule admits, written down as its definition says and without a thought for cost: every decision looks at all
 * hits admitted so far, one by one.
 */
export function admits(rule: Exclude<RateLimitRule, string>, past: readonly Hit[], hit: Hit): boolean {
  if (rule.algorithm === 'gcra') return conforms(rule, past, hit);
  if (rule.algorithm === 'token-bucket') return tokens(rule, past, hit.atMs) >= hit.weight;
  const used = rule.algorithm === 'sliding-window' ? inStretch(rule, past, hit.atMs) : inWindow(rule, past, hit.atMs);
  return used + hit.weight <= rule.limit;
}

/**
 * Whether the last of `hits` is one too many. A refunded hit leaves no trace where time is continuous; where it began a
 * window or a step, that one stays, so there what holds for every stretch of time is asked for.
 */
export function overAdmitted(rule: Exclude<RateLimitRule, string>, hits: readonly Hit[]): boolean {
  const last = hits.at(-1);
  if (last === undefined) return false;
  if (rule.algorithm === 'gcra' || rule.algorithm === 'sliding-window') return !admits(rule, hits.slice(0, -1), last);
  return hits.some(({ atMs }, from) => {
    const units = hits.slice(from).reduce((sum, { weight }) => sum + weight, 0);
    return units > mostIn(rule, last.atMs - atMs);
  });
}

function mostIn(rule: WindowRule | TokenBucketRule, ms: number): number {
  if (rule.algorithm === 'token-bucket') return rule.capacity + rule.refill * (Math.floor(ms / Number(rule.every)) + 1);
  return rule.limit * (Math.floor(ms / Number(rule.window)) + 2);
}

/** Units in the fixed window that is open at `now`; each begins with the first hit after the one before. */
function inWindow({ window }: WindowRule, past: readonly Hit[], now: number): number {
  let beganAtMs = Number.NEGATIVE_INFINITY;
  let units = 0;
  for (const { atMs, weight } of past) {
    if (atMs >= beganAtMs + Number(window)) [beganAtMs, units] = [atMs, 0];
    units += weight;
  }
  return now < beganAtMs + Number(window) ? units : 0;
}

/** Units of the last `window` milliseconds; hits of one sixtieth leave together with the last of them. */
function inStretch({ window }: WindowRule, past: readonly Hit[], now: number): number {
  const grainMs = Math.ceil(Number(window) / 60);
  const grainOf = (atMs: number): number => Math.floor(atMs / grainMs);
  return past
    .filter(({ atMs }) => {
      const together = past.filter((other) => grainOf(other.atMs) === grainOf(atMs));
      return now - Math.max(...together.map((other) => other.atMs)) < Number(window);
    })
    .reduce((units, { weight }) => units + weight, 0);
}

/** Tokens at `now`, one millisecond after another. */
function tokens({ capacity, refill, every }: TokenBucketRule, past: readonly Hit[], now: number): number {
  let left = capacity;
  let nextAtMs = Infinity;
  for (let ms = past[0]?.atMs ?? now; ms <= now; ms++) {
    if (ms === nextAtMs) {
      left = Math.min(capacity, left + refill);
      nextAtMs = left === capacity ? Infinity : ms + Number(every);
    }
    for (const { weight } of past.filter(({ atMs }) => atMs === ms)) {
      if (left === capacity) nextAtMs = ms + Number(every);
      left -= weight;
    }
  }
  return left;
}

/** The virtual scheduling algorithm of ITU-T I.371, in fractions of a millisecond that have `limit` as denominator. */
function conforms({ limit, window, burst }: GcraRule, past: readonly Hit[], { atMs, weight }: Hit): boolean {
  const [spacing, scale] = [BigInt(Number(window)), BigInt(limit)];
  let theoreticalArrival = 0n;
  const arrival = (ms: number): bigint => BigInt(ms) * scale;
  const later = (one: bigint, other: bigint): bigint => (one > other ? one : other);
  for (const hit of past)
    theoreticalArrival = later(theoreticalArrival, arrival(hit.atMs)) + BigInt(hit.weight) * spacing;
  const after = later(theoreticalArrival, arrival(atMs)) + BigInt(weight) * spacing;
  return after - arrival(atMs) <= BigInt(burst) * spacing;
}
