import { InvalidArgumentError } from './errors.js';

interface Field {
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fields: readonly Field[] = [
  { from: 0, to: 59 },
  { from: 0, to: 23 },
  { from: 1, to: 31 },
  { from: 1, to: 12, names: ['', ...months] },
  { from: 0, to: 7, names: weekdays },
];
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** 29 February falls on a given weekday every 28 years, and once every 40 where a century has no leap year. */
const farthestDays = 14_700;

/**
 * Reads the five fields of crontab(5), in UTC: minute, hour, day of month, month, day of week, with `*`, numbers, ranges,
 * lists, steps, and the first three letters of months and weekdays; 0 and 7 are Sunday. As there, a day is meant when either
 * of its two fields names it, unless one of them begins with `*`. Returns what finds the first moment meant after a given
 * one, both in milliseconds since 1970.
 * @throws InvalidArgumentError for anything else, and for days that never come.
 */
export function parseCron(expression: string): (afterMs: number) => number {
  const parts = typeof expression === 'string' ? expression.trim().toLowerCase().split(/\s+/) : [];
  const sets = fields.map((field, index) => readField(parts[index] ?? '', field));
  const [minutes, hours, days, monthSet, weekdaySet] = sets as [Set<number>, Set<number>, ...Set<number>[]];
  if (parts.length !== 5 || sets.includes(undefined) || !days || !monthSet || !weekdaySet) throw badCron(expression);
  const either = !parts[2]?.startsWith('*') && !parts[4]?.startsWith('*');
  const isMeant = (day: Date): boolean => {
    const weekday = weekdaySet.has(day.getUTCDay()) || (day.getUTCDay() === 0 && weekdaySet.has(7));
    const date = days.has(day.getUTCDate());
    return monthSet.has(day.getUTCMonth() + 1) && (either ? weekday || date : weekday && date);
  };
  const next = (afterMs: number): number => {
    const fromMs = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
    const firstDayMs = Math.floor(fromMs / dayMs) * dayMs;
    for (let dayAtMs = firstDayMs; dayAtMs <= firstDayMs + farthestDays * dayMs; dayAtMs += dayMs) {
      if (!isMeant(new Date(dayAtMs))) continue;
      for (let atMs = Math.max(dayAtMs, fromMs); atMs < dayAtMs + dayMs; atMs += minuteMs) {
        const at = new Date(atMs);
        if (hours.has(at.getUTCHours()) && minutes.has(at.getUTCMinutes())) return atMs;
      }
    }
    throw badCron(expression);
  };
  next(0);
  return next;
}

function readField(text: string, field: Field): Set<number> | undefined {
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const [, range = '', first = '', last, step = '1'] = /^(\*|(\w+)(?:-(\w+))?)(?:\/(\d{1,2}))?$/.exec(item) ?? [];
    const from = range === '*' ? field.from : numberOf(first, field);
    // A step after a single number goes on to the end of the field.
    const single = item.includes('/') ? field.to : from;
    const to = range === '*' ? field.to : last === undefined ? single : numberOf(last, field);
    if (!(from >= field.from && from <= to && to <= field.to) || Number(step) < 1) return undefined;
    for (let value = from; value <= to; value += Number(step)) found.add(value);
  }
  return found;
}

function numberOf(text: string, { names = [] }: Field): number {
  return /^\d{1,2}$/.test(text) ? Number(text) : text === '' ? NaN : names.indexOf(text);
}

function badCron(expression: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    'schedule cron',
    "five fields as in '30 4 * * mon-fri', of days that come",
    expression,
  );
}
