import type { Stored } from '../codec/stored.js';
import { decodePart, encodePart, hashTag, type Keys } from '../keys.js';
import { compileKeyGlob } from './key-glob.js';

/** Says who may compute a missing value: see {@link CachePort.claim}. */
export type CacheClaim =
  | { readonly state: 'value'; readonly value: Stored }
  | { readonly state: 'compute' }
  | { readonly state: 'wait'; readonly leaseMs: number }
  /** Computing failed, and nobody tries again before this time has passed: see {@link CachePort.hold}. */
  | { readonly state: 'held'; readonly leaseMs: number };

/** A live value, and how many milliseconds it still lives; undefined without end. */
export interface CacheRead {
  readonly value: Stored;
  readonly leftMs: number | undefined;
}

/** What is to be stored. */
export interface CacheWrite {
  readonly value: Stored;
  /** Undefined without end. */
  readonly ttlMs: number | undefined;
  /** Whether near caches must hear of it. */
  readonly announce: boolean;
}

/**
 * The contract of the two cache twins. Each method is one atomic step for each key it names. `cache` and `key` are the
 * names users gave; a lifetime of undefined means without end. With `announce` what changed is published on {@link changesChannel} in
 * the same step, as the key's {@link claimTopic}.
 */
export interface CachePort {
  /** The live value of `key`, or undefined. */
  get(cache: string, key: string): Promise<Stored | undefined>;
  /** The live values of `keys`, in their order. Each key is read atomically, the batch is not. */
  getMany(cache: string, keys: readonly string[]): Promise<(Stored | undefined)[]>;
  /** As `get`, with how long the value still lives: for caches whose values grow stale before they end. */
  read(cache: string, key: string): Promise<CacheRead | undefined>;
  /** Sets `key`, replacing value and lifetime. */
  set(cache: string, key: string, value: Stored, ttlMs: number | undefined): Promise<void>;
  /** Sets each key; atomic for each key, not for the batch. Order is that of `entries`. */
  setMany(cache: string, entries: readonly (readonly [string, Stored])[], ttlMs: number | undefined): Promise<void>;
  /** As `set`, and ends a claim on `key`: what is being computed is older, and who waits for it is woken. */
  replace(cache: string, key: string, write: CacheWrite): Promise<void>;
  /** Removes the keys and every claim on them, and wakes who waits for those; returns how many values were there. */
  delete(cache: string, keys: readonly string[], announce: boolean): Promise<number>;
  /**
   * As `delete`, but leaves each value for a little less than `staleMs`, so that it counts as stale. Returns how many
   * values lived that long or longer.
   */
  expire(cache: string, keys: readonly string[], staleMs: number, announce: boolean): Promise<number>;
  /**
   * The value, if it lives for `freshMs` or longer; if not, the right to compute it for `leaseMs`, given to one `token` at a
   * time; or how long the present computation, or one that failed, may still hold that right. A waiting `owner` is woken with
   * {@link claimTopic}.
   */
  claim(
    cache: string,
    key: string,
    token: string,
    leaseMs: number,
    owner: string,
    freshMs: number,
  ): Promise<CacheClaim>;
  /**
   * Frees the claim and wakes all waiting owners if `token` still holds it, and stores the computed value unless there is
   * one that lives for `freshMs` or longer: it was set meanwhile and is newer. Returns whether the token held the claim.
   */
  fulfil(cache: string, key: string, token: string, write: CacheWrite, freshMs: number): Promise<boolean>;
  /** Frees the claim if `token` holds it and wakes all waiting owners, so that another computes. */
  abandon(cache: string, key: string, token: string): Promise<void>;
  /** As `abandon`, but nobody gets the right for the next `holdMs`: the computation failed and would fail again. */
  hold(cache: string, key: string, token: string, holdMs: number): Promise<void>;
  /** Tags and their marks; the empty tag stands for the least mark of all, and is always there. Makes it where it is not. */
  marks(cache: string): Promise<readonly (readonly [tag: string, mark: number])[]>;
  /**
   * Raises the marks of `tags` above all that were given to them before, and publishes that on {@link changesChannel}; returns
   * the new mark, a number of milliseconds since 1970 or a little more.
   */
  mark(cache: string, tags: readonly string[]): Promise<number>;
  /**
   * One step of removing every entry whose key begins with `prefix`, taken literally, and fits the pattern `match`, where
   * there is one; a key that was too long to be kept whole fits none. Begin with cursor '0' and call with the returned one
   * until it is '0' again. Entries set meanwhile may or may not be removed.
   */
  clear(
    cache: string,
    prefix: string,
    match: string | undefined,
    cursor: string,
    announce: boolean,
  ): Promise<{ readonly cursor: string; readonly removed: number }>;
}

/** The topic on which those are woken who wait for `key` to be computed. */
export function claimTopic(cache: string, key: string): string {
  return `cache:${encodePart(cache)}:${encodePart(key)}`;
}

/** The pub/sub channel on which the changes of a cache are announced. */
export function changesChannel(keys: Keys, cache: string): string {
  return keys.tagged('cache', cache);
}

/** The key of the marks of a cache's tags. */
export function marksKey(keys: Keys, cache: string): string {
  return keys.tagged('cache-tags', cache);
}

/** Tags whose marks are kept; when there are more, all are given the newest mark, as if all had been cleared. */
export const mostMarks = 10_000;

/** What is published when a tag is cleared; the empty tag stands for all. */
export function markTopic(tag: string, mark: number): string {
  return `tag:${mark}:${tag === '' ? '' : encodePart(tag)}`;
}

/** Reads a {@link markTopic}; undefined for any other text. */
export function markOfTopic(topic: string): { readonly tag: string; readonly mark: number } | undefined {
  const [, mark, tag] = /^tag:(\d{1,16}):(.*)$/.exec(topic) ?? [];
  if (mark === undefined || tag === undefined) return undefined;
  return { tag: decodePart(tag) ?? '', mark: Number(mark) };
}

/** {@link claimTopic} by the store's key, whose hash tag names cache and key in the same way. */
export function entryTopic(entry: string): string {
  return `cache:${hashTag(entry)}`;
}

/** Tells by the store's key whether an entry's key fits the pattern. */
export function entryFilter(match: string | undefined): (entry: string) => boolean {
  if (match === undefined) return () => true;
  const { fits } = compileKeyGlob(match);
  return (entry) => {
    const tag = hashTag(entry);
    const key = decodePart(tag.slice(tag.indexOf(':') + 1));
    return key !== undefined && fits(key);
  };
}
