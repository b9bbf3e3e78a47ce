import type { AwayChoices } from '../away.js';
import { type Duration, durationMs, durationMsOrForever } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { compileKeyGlob } from './key-glob.js';
import type { NearRules } from './near-cache.js';

/** Bounds of a near cache; all of them hold. */
export interface NearOptions {
  /** Most entries, 1 to 10,000,000. Default 10,000. */
  readonly maxEntries?: number;
  /** Most bytes, estimated from the encoded values, 1,024 or more. Default 8 MiB. */
  readonly maxBytes?: number;
  /** How old a value may be here at most, should a change of it never be heard of. Default 30 s. */
  readonly ttl?: Duration;
}

/** Options of `state.cache`. Every process that uses one cache gives it the same. */
export interface CacheOptions {
  /** How long a value lives when `set` does not say. Default one hour; `Infinity` for no end. */
  readonly ttl?: Duration;
  /**
   * Share of a lifetime, from 0 to 1, by which it may be shorter, at random: values set together do not end together.
   * Default 0.
   */
  readonly jitter?: number;
  /** How long `getOrSet` remembers that there is nothing, when `compute` gave undefined. Default: not at all. */
  readonly absentTtl?: Duration;
  /**
   * How long a value is kept after its lifetime, as stale. `getOrSet` gives it while a new one is computed, and when
   * computing fails; `get` gives it only where asked. Default: not at all.
   */
  readonly staleFor?: Duration;
  /**
   * Share of a lifetime, above 0 and below 1, after which `getOrSet` has the value computed anew in the background, so
   * that it never ends while it is in use. Default: never.
   */
  readonly refreshAt?: number;
  /**
   * How long `getOrSet` waits for a new value while it has a stale one. Default: not at all; `Infinity`: until it is
   * computed, or computing failed.
   */
  readonly softTimeout?: Duration;
  /** How long `compute` may take; then its signal aborts and its caller gets a stale value or `ComputeTimeout`. Default: no end. */
  readonly hardTimeout?: Duration;
  /** How long after a failure nobody computes again, while there is a stale value. Default 1 s. */
  readonly retryAfter?: Duration;
  /**
   * Keep values in this process too, for reads without the store; changes are published to every process that does. What
   * `get` returns is then shared, so treat it as read-only. Default false; `true` for the default bounds.
   */
  readonly near?: boolean | NearOptions;
  /** Whether values may have tags, by which they are cleared. Default false. */
  readonly tags?: boolean;
  /**
   * How long one process may take to compute a missing value before another may begin. Default 10 s. A computation that
   * takes longer is not stopped; it may then be done twice.
   */
  readonly computeLease?: Duration;
  /**
   * Without the store: `open` goes on as if little were cached. Reads give what a near cache holds, else nothing; removing is
   * noted, and done there before the key is read again; nothing is written. `throw` rejects with `Unavailable`, but for
   * `getOrSet`, which computes. Default `open`.
   */
  readonly away?: AwayChoices['cache'];
}

/** Options of one write. */
export interface CacheSetOptions {
  /** How long this value lives; the cache's own `ttl` by default, `Infinity` for no end. */
  readonly ttl?: Duration;
  /**
   * What this value depends on: `clearTags` of one of them makes it count as absent. For caches with `tags: true`; at most 32,
   * each of 1 to 128 characters.
   */
  readonly tags?: readonly string[];
}

/** Options of one `getOrSet`. */
export interface CacheComputeOptions extends CacheSetOptions {
  /** Ends this caller's waiting; the call then rejects with its reason. What is computed goes on, for the others. */
  readonly signal?: AbortSignal;
}

/** Options of one read. */
export interface CacheGetOptions {
  /** Also a value that outlived its lifetime, where the cache keeps those (`staleFor`). Default false. */
  readonly stale?: boolean;
}

/** What of a cache to remove. */
export interface CacheClearOptions {
  /** Keys that begin with this text, taken literally: at most 64 characters. */
  readonly prefix?: string;
  /**
   * Keys that fit this pattern: `*` any characters, `?` one, `[a-z]` one of these, `[^a-z]` one of the others, `\\` takes the
   * next character as it is. 1 to 1,000 characters. Keys of more than 512 bytes fit none.
   */
  readonly match?: string;
}

const optionNames = {
  ttl: true,
  jitter: true,
  absentTtl: true,
  staleFor: true,
  refreshAt: true,
  softTimeout: true,
  hardTimeout: true,
  retryAfter: true,
  near: true,
  tags: true,
  computeLease: true,
  away: true,
} satisfies OptionNames<CacheOptions>;
const nearOptionNames = { maxEntries: true, maxBytes: true, ttl: true } satisfies OptionNames<NearOptions>;
const setOptionNames = { ttl: true, tags: true } satisfies OptionNames<CacheSetOptions>;
const getOptionNames = { stale: true } satisfies OptionNames<CacheGetOptions>;
const clearOptionNames = { prefix: true, match: true } satisfies OptionNames<CacheClearOptions>;

/** What a cache does with its options. Milliseconds; undefined without end where a type says so. */
export interface CacheRules {
  readonly ttlMs: number | undefined;
  readonly jitter: number;
  readonly absentMs: number | undefined;
  /** 0: values end with their lifetime. */
  readonly staleMs: number;
  readonly refreshAt: number;
  readonly softMs: number;
  readonly hardMs: number | undefined;
  readonly retryMs: number;
  readonly leaseMs: number;
  readonly near: NearRules | undefined;
  /** Whether values may have tags. */
  readonly tagged: boolean;
  /** Whether near caches must hear of changes. */
  readonly announce: boolean;
  /** Whether how long a value still lives decides anything. */
  readonly timed: boolean;
  /** Whether calls go on without the store. */
  readonly open: boolean;
}

/** @throws InvalidArgumentError naming the option. */
export function resolveCacheOptions(
  name: string,
  options: CacheOptions,
  byDefault: AwayChoices['cache'] = 'open',
): CacheRules {
  checkOptionNames(`cache ${name}`, options, optionNames);
  const { staleFor, refreshAt, softTimeout = 0, absentTtl } = options;
  const { tags: tagged = false } = options;
  if (typeof tagged !== 'boolean') throw new InvalidArgumentError(`cache ${name}, tags`, 'a boolean', tagged);
  const near = resolveNear(name, options.near ?? false);
  const staleMs = staleFor === undefined ? 0 : durationMs(staleFor, 'cache staleFor');
  return {
    ttlMs: durationMsOrForever(options.ttl ?? '1h', 'cache ttl'),
    jitter: share('cache jitter', options.jitter ?? 0, (jitter) => jitter >= 0 && jitter < 1),
    absentMs: absentTtl === undefined ? undefined : durationMs(absentTtl, 'cache absentTtl'),
    staleMs,
    refreshAt: refreshAt === undefined ? 1 : share('cache refreshAt', refreshAt, (part) => part > 0 && part < 1),
    softMs: softTimeout === 0 ? 0 : (durationMsOrForever(softTimeout, 'cache softTimeout') ?? Infinity),
    hardMs: durationMsOrForever(options.hardTimeout, 'cache hardTimeout'),
    retryMs: durationMs(options.retryAfter ?? '1s', 'cache retryAfter'),
    leaseMs: durationMs(options.computeLease ?? '10s', 'cache computeLease'),
    near,
    tagged,
    announce: near !== undefined,
    timed: staleMs > 0 || refreshAt !== undefined || near !== undefined || tagged,
    open: (options.away ?? byDefault) === 'open',
  };
}

function resolveNear(name: string, options: boolean | NearOptions): NearRules | undefined {
  if (options === false) return undefined;
  const where = `cache ${name}, near`;
  const given = options === true ? {} : options;
  checkOptionNames(where, given, nearOptionNames);
  return {
    maxEntries: whole(`${where}, maxEntries`, given.maxEntries ?? 10_000, 1, 10_000_000),
    maxBytes: whole(`${where}, maxBytes`, given.maxBytes ?? 8 * 2 ** 20, 1_024, Number.MAX_SAFE_INTEGER),
    nearMs: durationMs(given.ttl ?? '30s', `${where}, ttl`),
  };
}

function whole(where: string, count: number, least: number, most: number): number {
  if (Number.isSafeInteger(count) && count >= least && count <= most) return count;
  throw new InvalidArgumentError(where, `a whole number from ${least} to ${most}`, count);
}

/** What one write asks for. */
export interface WriteRules {
  /** Undefined without end. */
  readonly ttlMs: number | undefined;
  readonly tags: readonly string[];
}

/** @throws InvalidArgumentError naming the option. */
export function resolveWrite(name: string, options: CacheSetOptions, rules: CacheRules): WriteRules {
  checkOptionNames(`cache ${name}, write`, options, setOptionNames);
  const { ttl, tags = noTags } = options;
  if (tags !== noTags && !rules.tagged) {
    throw new InvalidArgumentError(`cache ${name}, tags`, 'a cache opened with tags: true', tags);
  }
  checkTags(name, tags);
  return { ttlMs: ttl === undefined ? rules.ttlMs : durationMsOrForever(ttl, 'cache ttl'), tags };
}

/** @throws InvalidArgumentError for anything but up to 32 tags of 1 to 128 characters. */
export function checkTags(name: string, tags: readonly string[]): void {
  if (Array.isArray(tags) && tags.length <= mostTags && tags.every(isTag)) return;
  throw new InvalidArgumentError(
    `cache ${name}, tags`,
    `at most ${mostTags} tags of 1 to ${longestTag} characters`,
    tags,
  );
}

const noTags: readonly string[] = [];
const mostTags = 32;
const longestTag = 128;

function isTag(tag: unknown): boolean {
  return typeof tag === 'string' && tag !== '' && tag.length <= longestTag && tag.isWellFormed();
}

/** Whether one read takes stale values, too. */
export function takesStale(name: string, options: CacheGetOptions): boolean {
  checkOptionNames(`cache ${name}, read`, options, getOptionNames);
  const { stale = false } = options;
  if (typeof stale !== 'boolean') throw new InvalidArgumentError(`cache ${name}, stale`, 'a boolean', stale);
  return stale;
}

/**
 * What to remove, as the port takes it.
 * @throws InvalidArgumentError for both at once, and for what is no prefix or no pattern.
 */
export function resolveClear(name: string, options: CacheClearOptions): { prefix: string; match: string | undefined } {
  checkOptionNames(`cache ${name}, clear`, options, clearOptionNames);
  const { prefix, match } = options;
  if (match === undefined) return { prefix: prefix ?? '', match };
  if (prefix !== undefined) throw new InvalidArgumentError(`cache ${name}, clear`, 'either prefix or match', 'both');
  return { prefix: compileKeyGlob(match).prefix, match };
}

function share(where: string, part: number, fits: (part: number) => boolean): number {
  if (typeof part === 'number' && fits(part)) return part;
  throw new InvalidArgumentError(where, 'a share of the lifetime between 0 and 1', part);
}
