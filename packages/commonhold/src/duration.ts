import { InvalidArgumentError } from './errors.js';

type Unit = 'ms' | 's' | 'm' | 'h' | 'd';

/**
 * A length of time: a number of milliseconds, or a number with a unit such as `'500ms'`, `'30s'`, `'1.5h'`, `'7d'`.
 *
 * A fraction of a millisecond counts as a whole one, so that no positive duration becomes nothing. `Infinity` means
 * "without end" where an option says so. Zero, negative numbers, NaN and more than 100 years are refused.
 */
export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`;

const unitMs: Readonly<Record<Unit, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/;

/** Milliseconds in 100 years: far inside what every engine can add to a date. */
export const longestDurationMs: number = 100 * 365 * unitMs.d;

/**
 * Milliseconds of a finite duration.
 * @throws InvalidArgumentError naming `where`.
 */
export function durationMs(duration: Duration, where: string): number {
  const ms = Math.ceil(parse(duration));
  if (ms >= 1 && ms <= longestDurationMs) return ms;
  throw new InvalidArgumentError(where, 'a duration from 1 ms to 100 years, such as 500 or "30s"', duration);
}

/** As {@link durationMs}, with `Infinity` and an absent duration read as "without end", which is `undefined`. */
export function durationMsOrForever(duration: Duration | undefined, where: string): number | undefined {
  return duration === undefined || duration === Infinity ? undefined : durationMs(duration, where);
}

/** Whether these are durations of one length, however they are written. */
export function isSameDuration(one: unknown, other: unknown): boolean {
  return parse(one) === parse(other);
}

function parse(duration: unknown): number {
  if (typeof duration === 'number') return duration;
  const match = typeof duration === 'string' ? pattern.exec(duration) : null;
  if (!match) return Number.NaN;
  const ms = Number(match[1]) * unitMs[match[2] as Unit];
  // 1.1 hours are 3,960,000.0000000005 ms to a computer; that is no fraction to round up.
  return ms > 1 ? Number(ms.toPrecision(15)) : ms;
}
