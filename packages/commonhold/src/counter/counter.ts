import type { AwayChoices } from '../away.js';
import { type Duration, durationMs, durationMsOrForever } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkGuard, type Guard, type GuardOptions } from '../guard.js';
import { encodePart } from '../keys.js';
import { type Operation, type OperationOptions, operationOf } from '../operation-id.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import type { CounterPort } from './counter-port.js';
import { dayName, dayNumber } from './days.js';

/** Every process that uses one counter must give it the same options. */
export interface CounterOptions {
  /**
   * How long a total lives, from the first add that finds none; later adds do not prolong it. Default: without end. Does
   * not concern the counts of days.
   */
  readonly ttl?: Duration;
  /** Also count each UTC day by itself, for {@link Counter.series}. Default: no. */
  readonly daily?: {
    /** How long the count of a day is kept after that day has ended. */
    readonly keep: Duration;
  };
  /**
   * Without the store: `buffer` sums adds up here, adds them there once when it is back, and answers with what this process
   * knows of the total; `throw` rejects with `Unavailable`. Default `buffer`. Guarded calls and `reset` always reject.
   */
  readonly away?: AwayChoices['counter'];
}

/** Options of a call that changes a counter. */
export interface CounterCallOptions extends OperationOptions, GuardOptions {}

/** Which days: the last `days` up to today, or all from one to another, both included, as `YYYY-MM-DD` in UTC. */
export type SeriesRange = { readonly days: number } | { readonly from: string; readonly to: string };

/** What was added on one day. */
export interface DayCount {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  readonly count: number;
}

const optionNames = { ttl: true, daily: true, away: true } satisfies OptionNames<CounterOptions>;
const dailyNames = { keep: true } as const;
const getOptionNames = { guard: true } satisfies OptionNames<GuardOptions>;
/** Days that one call of `series` reads at most: ten years. */
const mostDays = 3_660;

/**
 * A whole number that any process may add to. It is exact from -(2^53-1) to 2^53-1: an add that would leave that range
 * rejects with `Overloaded` and adds nothing.
 *
 * Every method rejects with `Unavailable` when the store certainly did nothing, and with `CorruptState` when another
 * program's value is in the way. `add` and `reset` reject with `OutcomeUnknown` when they may have happened: without an
 * `operationId` an add done again may count twice, and what a reset took away is then not known. With one they may be
 * done again, within 10 minutes: they happen once and answer as the first time. An id that was given to an add of another
 * amount, or to a reset, rejects with `InvalidArgument`.
 */
export class Counter {
  readonly #name: string;
  readonly #port: CounterPort;
  readonly #ttlMs: number | undefined;
  readonly #keepMs: number | undefined;

  /**
   * Use `state.counter(name, options)`.
   * @throws InvalidArgumentError for an empty name or a bad duration.
   */
  constructor(name: string, options: CounterOptions, port: CounterPort) {
    encodePart(name);
    this.#name = name;
    this.#port = port;
    checkOptionNames(`counter ${name}`, options, optionNames);
    if (options.daily !== undefined) checkOptionNames(`counter ${name}, daily`, options.daily, dailyNames);
    this.#ttlMs = durationMsOrForever(options.ttl, 'counter ttl');
    this.#keepMs = options.daily === undefined ? undefined : durationMs(options.daily.keep, 'counter daily.keep');
  }

  /** Adds `by`, a whole number of at most 2^53-1 either way; returns the new total. */
  add(by: number = 1, options?: CounterCallOptions): Promise<number> {
    if (!Number.isSafeInteger(by)) {
      return Promise.reject(new InvalidArgumentError(`counter ${this.#name}, by`, 'a whole number within 2^53-1', by));
    }
    if (options === undefined) return this.#port.add(this.#name, by, this.#ttlMs, this.#keepMs);
    return this.#addWith(by, options);
  }

  /** The total; 0 when nothing was added, or its ttl has passed. */
  async get(options: GuardOptions = {}): Promise<number> {
    checkOptionNames(`counter ${this.#name}, get`, options, getOptionNames);
    return this.#port.get(this.#name, checkGuard(`counter ${this.#name}, get`, options.guard));
  }

  /** Sets the total back to nothing and returns what it was. The counts of days stay. */
  async reset(options?: CounterCallOptions): Promise<number> {
    const { operation, guard } = resolveCall(`counter ${this.#name}, reset`, options);
    return operation === undefined
      ? this.#port.reset(this.#name, guard)
      : this.#port.resetOnce(this.#name, operation, guard);
  }

  /**
   * The counts of up to 3,660 days in their order; a day on which nothing was added, or that is no longer kept, counts 0.
   * Only for a counter with `daily`.
   */
  async series(range: SeriesRange): Promise<DayCount[]> {
    const keepMs = this.#keepMs;
    if (keepMs === undefined) {
      throw new InvalidArgumentError(`counter ${this.#name}, series`, 'a counter with the option daily', 'one without');
    }
    const { days, lastDay } = parseRange(range, `counter ${this.#name}, series`);
    const series = await this.#port.series(this.#name, keepMs, days, lastDay);
    const firstDay = series.lastDay - days + 1;
    return series.counts.map((count, index) => ({ day: dayName(firstDay + index), count }));
  }

  async #addWith(by: number, options: CounterCallOptions): Promise<number> {
    const { operation, guard } = resolveCall(`counter ${this.#name}, add`, options);
    const [port, name, ttlMs, keepMs] = [this.#port, this.#name, this.#ttlMs, this.#keepMs];
    return operation === undefined
      ? port.add(name, by, ttlMs, keepMs, guard)
      : port.addOnce(name, by, ttlMs, keepMs, operation, guard);
  }
}

function resolveCall(
  where: string,
  options: CounterCallOptions = {},
): { readonly operation: Operation | undefined; readonly guard: Guard | undefined } {
  const { guard, ...others } = options;
  return { operation: operationOf(where, others), guard: checkGuard(where, guard) };
}

function parseRange(range: SeriesRange, where: string): { days: number; lastDay: number | undefined } {
  if ('days' in range) return { days: checkDays(range.days, where), lastDay: undefined };
  const first = dayNumber(range.from);
  const lastDay = dayNumber(range.to);
  if (first === undefined) throw new InvalidArgumentError(`${where}, from`, 'a day as YYYY-MM-DD', range.from);
  if (lastDay === undefined) throw new InvalidArgumentError(`${where}, to`, 'a day as YYYY-MM-DD', range.to);
  return { days: checkDays(lastDay - first + 1, where), lastDay };
}

function checkDays(days: number, where: string): number {
  if (Number.isInteger(days) && days >= 1 && days <= mostDays) return days;
  throw new InvalidArgumentError(where, `1 to ${mostDays} days`, days);
}
