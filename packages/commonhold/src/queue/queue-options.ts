import { type Duration, durationMs, longestDurationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { jittered, type Random } from '../random.js';
import type { DocumentedNames, QueueAddress } from './queue-port.js';

/** How long a job that failed waits before it is tried again: `first`, then `factor` times as long each time. */
export interface BackoffOptions {
  /** Default 1 s. */
  readonly first?: Duration;
  /** At least 1. Default 2. */
  readonly factor?: number;
  /** Default 5 min. */
  readonly longest?: Duration;
}

/** Settings that a queue has and that one job may have of its own. */
export interface RetryOptions {
  /** How often a job is started at most, 1 to 1000. Default 3. */
  readonly attempts?: number;
  /** The wait before the next attempt; half of it is random, so that jobs which failed together part ways. */
  readonly backoff?: BackoffOptions;
}

/** Every process that uses one queue gives it the same options. */
export interface QueueOptions extends RetryOptions {
  /** How long completed and cancelled jobs stay readable; 0 for not at all. Default 1 h. */
  readonly keepCompleted?: Duration;
  /** How long failed jobs stay, to be read or sent again. Default 7 d. */
  readonly keepFailed?: Duration;
  /** Whether the changes of jobs are announced: see `notices`. Default false. */
  readonly notices?: boolean;
  /**
   * `compact` (default) keeps waiting jobs in about 90 bytes each. `hash` gives each job a hash from the start, with the
   * texts, numbers and booleans of its data as fields of their own, for readers in other languages.
   */
  readonly record?: 'compact' | 'hash';
  /** Key names that other programs rely on, instead of ours. Implies `record: 'hash'`. */
  readonly documented?: DocumentedNames;
}

/** Options as the code sees them. */
export interface ResolvedQueueOptions {
  readonly address: QueueAddress;
  readonly hash: boolean;
  readonly retry: ResolvedRetry;
}

/** {@link RetryOptions} with nothing left open. */
export interface ResolvedRetry {
  readonly attempts: number;
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
}

const backoffNames = { first: true, factor: true, longest: true } satisfies OptionNames<BackoffOptions>;
const queueOptionNames = {
  attempts: true,
  backoff: true,
  keepCompleted: true,
  keepFailed: true,
  notices: true,
  record: true,
  documented: true,
} satisfies OptionNames<QueueOptions>;
const documentedNames = {
  queue: true,
  record: true,
  stats: true,
  notices: true,
} satisfies OptionNames<DocumentedNames>;
const defaultRetry: ResolvedRetry = { attempts: 3, firstMs: 1_000, factor: 2, longestMs: 300_000 };

/** @throws InvalidArgumentError naming the option. */
export function resolveQueueOptions(name: string, options: QueueOptions): ResolvedQueueOptions {
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
    },
    hash: record === 'hash' || documented !== undefined,
    retry: resolveRetry(options, defaultRetry),
  };
}

/** Fills what `options` leaves open from `defaults`. @throws InvalidArgumentError naming the option. */
function resolveRetry(options: RetryOptions, defaults: ResolvedRetry): ResolvedRetry {
  const { attempts = defaults.attempts, backoff = {} } = options;
  checkOptionNames('queue backoff', backoff, backoffNames);
  const { first, factor = defaults.factor, longest } = backoff;
  if (!isAttempts(attempts))
    throw new InvalidArgumentError('queue attempts', 'a whole number from 1 to 1000', attempts);
  if (!isFactor(factor)) throw new InvalidArgumentError('queue backoff.factor', 'a number from 1 to 100', factor);
  return {
    attempts,
    factor,
    firstMs: first === undefined ? defaults.firstMs : durationMs(first, 'queue backoff.first'),
    longestMs: longest === undefined ? defaults.longestMs : durationMs(longest, 'queue backoff.longest'),
  };
}

/** The wait after the given attempt failed, in whole milliseconds. */
export function backoffMs(retry: ResolvedRetry, attempt: number, random: Random): number {
  const fullMs = Math.min(retry.longestMs, retry.firstMs * retry.factor ** (attempt - 1));
  return Math.ceil(jittered(random, fullMs));
}

/** A job's own settings as the text kept with it; empty when it has none. */
export function writeJobOptions(options: RetryOptions, defaults: ResolvedRetry): string {
  if (options.attempts === undefined && options.backoff === undefined) return '';
  return JSON.stringify(resolveRetry(options, defaults));
}

/** The settings that hold for a job. Text that cannot be read gives the queue's own. */
export function readJobOptions(text: string, defaults: ResolvedRetry): ResolvedRetry {
  if (text === '') return defaults;
  try {
    const read = { ...defaults, ...(JSON.parse(text) as Partial<ResolvedRetry>) };
    const good =
      isAttempts(read.attempts) && isFactor(read.factor) && isDuration(read.firstMs) && isDuration(read.longestMs);
    return good ? read : defaults;
  } catch {
    return defaults;
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
