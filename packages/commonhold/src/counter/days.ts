/** Milliseconds of one UTC day: UTC has no summer time, and Unix time no leap seconds. */
export const dayMs = 86_400_000;

/** `YYYY-MM-DD` of a number of days since 1970-01-01. */
export function dayName(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** Days since 1970-01-01 of a `YYYY-MM-DD` that is in the calendar; undefined for anything else. */
export function dayNumber(name: unknown): number | undefined {
  if (typeof name !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(name)) return undefined;
  const day = Date.parse(`${name}T00:00:00Z`) / dayMs;
  // Engines may read February 30 as March 2.
  return Number.isInteger(day) && dayName(day) === name ? day : undefined;
}

/** The last millisecond at which the count of `day` is kept: `keepMs` after the day's end. */
export function dayExpiresAtMs(day: number, keepMs: number): number {
  return (day + 1) * dayMs + keepMs;
}
