import { type Clock, sleep } from './clock.js';
import { parseCron } from './cron.js';
import { type Duration, durationMs } from './duration.js';
import { InvalidArgumentError } from './errors.js';
import { checkOptionNames, type OptionNames } from './option-names.js';

/** When a schedule ticks: one of the two. */
export interface ScheduleTimes {
  /** At the multiples of this time since 1970, UTC: `'1h'` at every full hour. Whole seconds, at least one. */
  readonly every?: Duration;
  /** Five fields as in crontab(5), in UTC: `'30 4 * * mon-fri'`. */
  readonly cron?: string;
}

/** Finds the first tick after a moment; both in milliseconds since 1970. */
export type NextTick = (afterMs: number) => number;

const timesNames = { every: true, cron: true } satisfies OptionNames<ScheduleTimes>;
const longestNapMs = 1_000;

/** @throws InvalidArgumentError naming what is wrong. */
export function nextTick(times: ScheduleTimes): NextTick {
  checkOptionNames('schedule', times, timesNames);
  const { every, cron } = times;
  if ((every === undefined) === (cron === undefined)) {
    throw new InvalidArgumentError('schedule', 'either every or cron', every === undefined ? 'neither' : 'both');
  }
  if (cron !== undefined) return parseCron(cron);
  const everyMs = durationMs(every as Duration, 'schedule every');
  if (everyMs % 1_000 !== 0) throw new InvalidArgumentError('schedule every', 'whole seconds', every);
  return (afterMs) => (Math.floor(afterMs / everyMs) + 1) * everyMs;
}

/** The last tick after `afterMs` that is not after `nowMs`; undefined when there is none. */
export function latestTick(next: NextTick, afterMs: number, nowMs: number): number | undefined {
  // Looks back farther and farther, since a tick may come each second or once in years.
  for (let backMs = 60_000; ; backMs *= 4) {
    const fromMs = Math.max(afterMs, nowMs - backMs);
    let latest = next(fromMs);
    if (latest <= nowMs) {
      for (let later = next(latest); later <= nowMs; later = next(later)) latest = later;
      return latest;
    }
    if (fromMs === afterMs) return undefined;
  }
}

/** Sleeps until `signal` aborts or `ms` have passed, in short naps, since a machine may stand still, and timers with it. */
export async function sleepInNaps(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const endsAtMs = clock.monotonic() + ms;
  for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs = endsAtMs - clock.monotonic()) {
    await sleep(clock, Math.ceil(Math.min(leftMs, longestNapMs)), signal);
  }
}
