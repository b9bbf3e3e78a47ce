import { InvalidArgumentError } from '../errors.js';
import type { RateLimitPolicy } from './policy.js';
import { largestLimit, type Meter, meterSuffix } from './rate-limit-port.js';
import { parseRule, type RateLimitRule } from './rule.js';
import { wholeCeil } from './whole.js';

/** One rule, or several that a hit must fit all. */
export type RateLimitRules = RateLimitRule | readonly RateLimitRule[];

/** Rules as they are used. */
export interface RuleSet {
  readonly meters: readonly Meter[];
  readonly policies: readonly RateLimitPolicy[];
  /** The heaviest hit that fits: the smallest of the limits. */
  readonly heaviest: number;
}

/** More would be one slow script. */
const mostRules = 16;
const mostKnown = 1_000;

/** @throws InvalidArgumentError naming `where`. */
export function parseRules(rules: RateLimitRules, name: string, where: string): RuleSet {
  const list: readonly RateLimitRule[] = Array.isArray(rules) ? rules : [rules as RateLimitRule];
  if (list.length < 1 || list.length > mostRules) {
    throw new InvalidArgumentError(where, `1 to ${mostRules} rules`, list.length);
  }
  const meters = list.map((rule) => parseRule(rule, where));
  if (new Set(meters.map(meterSuffix)).size < meters.length) {
    throw new InvalidArgumentError(where, 'rules that differ in window or algorithm', 'two that count as one');
  }
  const policies = meters.map((meter) => policyOf(meter, meters.length === 1 ? name : `${name}/${title(meter)}`));
  return { meters, policies, heaviest: Math.min(...policies.map(({ limit }) => limit)) };
}

/** Rule sets of calls that bring their own, so that a plan's text is read once. */
export class RuleSets {
  readonly #name: string;
  readonly #known = new Map<string, RuleSet>();

  constructor(name: string) {
    this.#name = name;
  }

  get(rules: RateLimitRules, where: string): RuleSet {
    const text = typeof rules === 'string' ? rules : JSON.stringify(rules);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const parsed = parseRules(rules, this.#name, where);
    // Plans are few; a limit made for each subject is not kept.
    if (this.#known.size < mostKnown) this.#known.set(text, parsed);
    return parsed;
  }
}

function policyOf(meter: Meter, name: string): RateLimitPolicy {
  const limit = meter.kind === 'sliding-window' ? meter.capacity : meter.capacity / meter.unit;
  return Object.freeze({ name, limit, windowMs: fillMs(meter) });
}

// A bucket's window is the time in which it fills: then quota and window also tell its rate.
function fillMs(meter: Meter): number {
  if (meter.kind === 'sliding-window' || meter.refill === largestLimit) return meter.spanMs;
  return wholeCeil(meter.capacity, meter.refill) * meter.everyMs;
}

function title(meter: Meter): string {
  const algorithm = meter.kind === 'fixed-window' ? '' : `-${meter.kind}`;
  return shortTime(meter.spanMs) + algorithm;
}

function shortTime(ms: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ];
  const [unit, unitMs] = units.find(([, size]) => ms % size === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}
