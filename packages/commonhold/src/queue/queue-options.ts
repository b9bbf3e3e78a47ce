import type { AwayChoices } from '../away.js';
import { type Duration, durationMs, longestDurationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import type { StandardSchema, ValueCheck } from '../schema.js';
import { jittered, type Random } from '../random.js';
import { checkSearchFields } from './search-fields.js';
import type { DocumentedNames, QueueAddress, QueueLimits } from './queue-port.js';

/** How long a job that failed waits before it is tried again: `first`, then `factor` times as long each time. */
export interface BackoffOptions {
  /** Default 1 s. */
  readonly first?: Duration;
  /** At least 1. Default 2. */
  readonly factor?: number;
  /** Default 5 min. */
  readonly longest?: Duration;
}

/** Settings that a queue has for its jobs and that one job may have of its own. */
export interface JobOptions {
  /** How often a job is started at most, 1 to 1000, but for up to two starts after the death of a worker. Default 3. */
  readonly attempts?: number;
  /** The wait before the next attempt; half of it is random, so that jobs which failed together part ways. */
  readonly backoff?: BackoffOptions;
  /**
   * How long one attempt may take. Then its signal aborts and it counts as failed, whether the handler heeds the signal or
   * not. Default: without bound.
   */
  readonly timeout?: Duration;
  /**
   * When a job is of no use any more, counted from when it was added. It is not started after that, and not tried again;
   * one that runs is aborted; it fails for good. Default: never.
   */
  readonly deadline?: Duration;
}

/** What the values of a queue must be: any synchronous schemas of https://standardschema.dev. */
export interface JobSchemas<Data, Result> {
  /**
   * What the data of a job must be. Applied by `add`, before anything is sent, and before a handler is called: a job that
   * does not fit fails, with no further attempt. It must take what it gives, which is stored. Default: nothing is checked.
   */
  readonly schema?: StandardSchema<unknown, Data> | undefined;
  /** Likewise what handlers return. A job whose result does not fit fails, with no further attempt. */
  readonly resultSchema?: StandardSchema<unknown, Result> | undefined;
}

/** Those, as they are applied. */
export interface JobChecks<Data, Result> {
  readonly data: ValueCheck<Data> | undefined;
  readonly result: ValueCheck<Result> | undefined;
}

/** Bounds over all workers of a queue. */
export interface LimitOptions {
  /** Jobs that run at once, 1 to 1,000,000. */
  readonly concurrency?: number;
  /** Jobs that are started within a time: `max`, 1 to 1,000,000, in a window that begins with the first of them. */
  readonly rate?: { readonly max: number; readonly per: Duration };
}

/** How the groups of jobs share a queue. */
export interface GroupOptions {
  /** Jobs of one group that run at once, over all workers, 1 to 1,000,000. Default: no bound. */
  readonly concurrency?: number;
}

/** Every process that uses one queue gives it the same options. */
export interface QueueOptions extends JobOptions {
  /** How long completed and cancelled jobs stay readable; 0 for not at all. Default 1 h. */
  readonly keepCompleted?: Duration;
  /** How long failed jobs stay, to be read or sent again. Default 7 d. */
  readonly keepFailed?: Duration;
  /** Bounds over all workers of all processes. Default: none. */
  readonly limits?: LimitOptions;
  /** What holds for each group that jobs are added with. */
  readonly groups?: GroupOptions;
  /**
   * Makes jobs searchable, by status, process and time, and by these fields of their data, which hold texts, numbers or
   * booleans; up to 16. Each costs an entry of an index, and each change of a job's status two commands in its step. Default:
   * none.
   */
  readonly fields?: readonly string[];
  /** Whether the changes of jobs are announced: see `notices`. Default false. */
  readonly notices?: boolean;
  /**
   * `compact` (default) keeps waiting jobs in about 90 bytes each. `hash` gives each job a hash from the start, with the
   * texts, numbers and booleans of its data as fields of their own, for readers in other languages.
   */
  readonly record?: 'compact' | 'hash';
  /** Key names that other programs rely on, instead of ours. Implies `record: 'hash'`. */
  readonly documented?: DocumentedNames;
  /**
   * Without the store: `buffer` writes added jobs to the state's journal file, from where they are added when the store is back,
   * and rejects where the state has none; `throw` rejects with `Unavailable`. Default `buffer`. With a journal file every job
   * has a record of its own from the start, as with an `id`, so that it can be added again safely; `throw` saves that.
   */
  readonly away?: AwayChoices['queue'];
}

/** Options as the code sees them. */
export interface ResolvedQueueOptions {
  readonly address: QueueAddress;
  readonly hash: boolean;
  /** Whether jobs may be kept for a store that is away. */
  readonly spooled: boolean;
  /** Undefined unless the queue is searched. */
  readonly searchFields: readonly string[] | undefined;
  readonly settings: ResolvedJobOptions;
}

/** {@link JobOptions} with nothing left open. */
export interface ResolvedJobOptions {
  readonly attempts: number;
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
  readonly timeoutMs: number | undefined;
  readonly deadlineMs: number | undefined;
}

const backoffNames = { first: true, factor: true, longest: true } satisfies OptionNames<BackoffOptions>;
const queueOptionNames = {
  attempts: true,
  backoff: true,
  timeout: true,
  deadline: true,
  keepCompleted: true,
  keepFailed: true,
  fields: true,
  limits: true,
  groups: true,
  notices: true,
  record: true,
  documented: true,
  away: true,
} satisfies OptionNames<QueueOptions>;
const limitNames = { concurrency: true, rate: true } satisfies OptionNames<LimitOptions>;
const groupNames = { concurrency: true } satisfies OptionNames<GroupOptions>;
const rateNames = { max: true, per: true } satisfies OptionNames<NonNullable<LimitOptions['rate']>>;
const documentedNames = {
  queue: true,
  record: true,
  stats: true,
  notices: true,
} satisfies OptionNames<DocumentedNames>;
const defaults: ResolvedJobOptions = {
  attempts: 3,
  firstMs: 1_000,
  factor: 2,
  longestMs: 300_000,
  timeoutMs: undefined,
  deadlineMs: undefined,
};

/** @param spools whether jobs may be kept for a store that is away. @throws InvalidArgumentError naming the option. */
export function resolveQueueOptions(name: string, options: QueueOptions, spools: boolean): ResolvedQueueOptions {
  checkOptionNames(`queue ${name}`, options, queueOptionNames);
  const { documented, record, notices } = options;
  if (documented !== undefined) checkOptionNames('queue documented', documented, documentedNames);
  if (record !== undefined && record !== 'compact' && record !== 'hash') {
    throw new InvalidArgumentError('queue record', "'compact' or 'hash'", record);
  }
  if (documented !== undefined && record === 'compact') {
    throw new InvalidArgumentError('queue record', "'hash' with documented names", record);
  }
  const completed = options.keepCompleted ?? '1h';
  return {
    address: {
      name,
      documented: documented && { ...documented },
      notices: notices ?? false,
      keepCompletedMs: completed === 0 ? 0 : durationMs(completed, 'queue keepCompleted'),
      keepFailedMs: durationMs(options.keepFailed ?? '7d', 'queue keepFailed'),
      limits: resolveLimits(options),
    },
    hash: record === 'hash' || documented !== undefined,
    spooled: spools,
    searchFields: options.fields && checkSearchFields(options.fields, 'queue fields'),
    settings: resolveJobOptions(options, defaults),
  };
}

function resolveLimits({ limits = {}, groups = {} }: QueueOptions): QueueLimits | undefined {
  checkOptionNames('queue limits', limits, limitNames);
  checkOptionNames('queue groups', groups, groupNames);
  const { concurrency, rate } = limits;
  if (rate !== undefined) checkOptionNames('queue limits.rate', rate, rateNames);
  if (concurrency === undefined && rate === undefined && groups.concurrency === undefined) return undefined;
  return {
    running: concurrency === undefined ? 0 : checkBound(concurrency, 'queue limits.concurrency'),
    starts: rate === undefined ? 0 : checkBound(rate.max, 'queue limits.rate.max'),
    windowMs: rate === undefined ? 0 : durationMs(rate.per, 'queue limits.rate.per'),
    runningInGroup: groups.concurrency === undefined ? 0 : checkBound(groups.concurrency, 'queue groups.concurrency'),
  };
}

function checkBound(bound: number, where: string): number {
  if (Number.isInteger(bound) && bound >= 1 && bound <= 1_000_000) return bound;
  throw new InvalidArgumentError(where, 'a whole number from 1 to 1,000,000', bound);
}

/** Fills what `options` leaves open from `fallback`. @throws InvalidArgumentError naming the option. */
function resolveJobOptions(options: JobOptions, fallback: ResolvedJobOptions): ResolvedJobOptions {
  const { attempts = fallback.attempts, backoff = {}, timeout, deadline } = options;
  checkOptionNames('queue backoff', backoff, backoffNames);
  const { first, factor = fallback.factor, longest } = backoff;
  if (!isAttempts(attempts))
    throw new InvalidArgumentError('queue attempts', 'a whole number from 1 to 1000', attempts);
  if (!isFactor(factor)) throw new InvalidArgumentError('queue backoff.factor', 'a number from 1 to 100', factor);
  return {
    attempts,
    factor,
    firstMs: first === undefined ? fallback.firstMs : durationMs(first, 'queue backoff.first'),
    longestMs: longest === undefined ? fallback.longestMs : durationMs(longest, 'queue backoff.longest'),
    timeoutMs: timeout === undefined ? fallback.timeoutMs : durationMs(timeout, 'job timeout'),
    deadlineMs: deadline === undefined ? fallback.deadlineMs : durationMs(deadline, 'job deadline'),
  };
}

/** The wait after the given attempt failed, in whole milliseconds. */
export function backoffMs(settings: ResolvedJobOptions, attempt: number, random: Random): number {
  const fullMs = Math.min(settings.longestMs, settings.firstMs * settings.factor ** (attempt - 1));
  return Math.ceil(jittered(random, fullMs));
}

/** A job's own settings as the text kept with it; empty when it has none, unless all are wanted. */
export function writeJobOptions(options: JobOptions, fallback: ResolvedJobOptions, all: boolean = false): string {
  const { attempts, backoff, timeout, deadline } = options;
  if (!all && [attempts, backoff, timeout, deadline].every((option) => option === undefined)) return '';
  return JSON.stringify(resolveJobOptions(options, fallback));
}

/** The settings that hold for a job. Text that cannot be read gives the queue's own. */
export function readJobOptions(text: string, fallback: ResolvedJobOptions): ResolvedJobOptions {
  if (text === '') return fallback;
  try {
    const read = { ...fallback, ...(JSON.parse(text) as Partial<ResolvedJobOptions>) };
    const times = [read.firstMs, read.longestMs, read.timeoutMs ?? 1, read.deadlineMs ?? 1];
    const good = isAttempts(read.attempts) && isFactor(read.factor) && times.every(isDuration);
    return good ? read : fallback;
  } catch {
    return fallback;
  }
}

function isAttempts(attempts: unknown): boolean {
  return Number.isInteger(attempts) && Number(attempts) >= 1 && Number(attempts) <= 1_000;
}

function isFactor(factor: unknown): boolean {
  return typeof factor === 'number' && factor >= 1 && factor <= 100;
}

function isDuration(ms: unknown): boolean {
  return Number.isInteger(ms) && Number(ms) >= 1 && Number(ms) <= longestDurationMs;
}
