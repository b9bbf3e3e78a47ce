import type { Stored } from '../codec/stored.js';
import type { Guard } from '../guard.js';
import { encodePart, type Keys } from '../keys.js';

/** What all processes say alike of one map. A space is plain data and goes with each call. */
export interface MapSpace {
  readonly name: string;
  /** Documented layout: what stands before each key, verbatim. Undefined for the library's own layout. */
  readonly prefix: string | undefined;
  /** Whether entries end by default, so that a read asks for the time at once. */
  readonly timed: boolean;
  /** How long ago the store may have told what is served without it; undefined for any time. */
  readonly staleMs?: number | undefined;
  /** Whether each write is published on the map's channel. */
  readonly changes: boolean;
}

/** An entry as stored. Where the layout does not hold a part, or the call did not read it, that part is undefined. */
export interface MapRecord {
  readonly value: Stored;
  /** Grows with every write to the map, so that no key ever has one version with two values. */
  readonly version: number | undefined;
  /** The process that wrote the value. */
  readonly owner: string | undefined;
  /** Server milliseconds since 1970; undefined without end. */
  readonly expiresAtMs: number | undefined;
  /** Not from the store, which is away, but what this process last knew or wrote. */
  readonly stale?: true;
}

/** What `replace` compares with: the version in the library's own layout, the bytes in the documented one. */
export type MapExpectation = Pick<MapRecord, 'value' | 'version'>;

/** Whether `expected` must be found by its value: it was made known without its version, in a layout that compares that. */
export function needsVersion({ prefix }: MapSpace, expected: MapExpectation | undefined): boolean {
  return prefix === undefined && expected !== undefined && expected.version === undefined;
}

/** What became of `replace`: the version written, or the entry that was there instead, undefined where there was none. */
export type MapReplacement =
  | { readonly written: true; readonly version: number | undefined }
  | { readonly written: false; readonly found: MapRecord | undefined };

/** One part of all entries. */
export interface MapPage {
  /** Each with its key, undefined for what another program wrote. One may come twice when others were written meanwhile. */
  readonly entries: readonly (readonly [key: string, record: MapRecord | undefined])[];
  /** Where to go on; '0' at the end. */
  readonly cursor: string;
  /** The version of the newest write to the map before this page was read; 0 for none. */
  readonly version: number;
  /** The server's clock when this page was read. */
  readonly nowMs: number;
}

/**
 * Single entries: what both layouts have. Each method is one atomic step for each key; a lifetime of undefined means
 * without end. `owner` is the process that writes. A call with a `guard` rejects with `StaleGuard` where a later holder has made
 * one to the same map; the documented layout takes none.
 */
export interface MapEntryPort {
  /** The live entry of `key`. The documented layout tells its value only. */
  get(space: MapSpace, key: string, guard?: Guard): Promise<MapRecord | undefined>;
  /** As `get`, and when it ends. */
  getEntry(space: MapSpace, key: string, guard?: Guard): Promise<MapRecord | undefined>;
  /** The live entries of `keys`, in their order; up to 1,000 are read at one moment. */
  getMany(space: MapSpace, keys: readonly string[], guard?: Guard): Promise<(MapRecord | undefined)[]>;
  has(space: MapSpace, key: string): Promise<boolean>;
  /** Sets each key, replacing value and lifetime, all in one atomic step. Only one in the documented layout. */
  set(
    space: MapSpace,
    owner: string,
    entries: readonly (readonly [key: string, value: Stored])[],
    ttlMs: number | undefined,
    guard?: Guard,
  ): Promise<void>;
  /** Sets `key` only where it is absent; returns whether it did. */
  add(
    space: MapSpace,
    owner: string,
    key: string,
    value: Stored,
    ttlMs: number | undefined,
    guard?: Guard,
  ): Promise<boolean>;
  /**
   * Sets `key` only where the entry is still the expected one; undefined expects none. A value of undefined removes it, and
   * gives no version.
   */
  replace(
    space: MapSpace,
    owner: string,
    key: string,
    expected: MapExpectation | undefined,
    value: Stored | undefined,
    ttlMs: number | undefined,
    guard?: Guard,
  ): Promise<MapReplacement>;
  /** Removes the keys; returns how many live entries there were. */
  delete(space: MapSpace, owner: string, keys: readonly string[], guard?: Guard): Promise<number>;
  /** Begins the lifetime of a live entry anew; returns whether there was one. Its value and owner stay. */
  touch(space: MapSpace, key: string, ttlMs: number | undefined, guard?: Guard): Promise<boolean>;
}

/**
 * The contract of the two map twins. Where `space.changes` says so, each write publishes a `MapMessage` in the same step.
 * A write, and a read that meets an entry whose lifetime has passed, removes up to {@link mostEndedAtOnce} such entries,
 * those that ended first, and publishes that as well.
 */
export interface MapPort extends MapEntryPort {
  /** How many live entries there are. */
  count(space: MapSpace): Promise<number>;
  /** Removes every entry in one step; returns how many were live. */
  clear(space: MapSpace, owner: string, guard?: Guard): Promise<number>;
  /** About `limit` entries. Begin with cursor '0'; an entry that is there all the while comes at least once. */
  page(space: MapSpace, cursor: string, limit: number): Promise<MapPage>;
}

/** Ended entries that one step removes at most. */
export const mostEndedAtOnce = 100;

/**
 * What is left of a map in which nothing can be alive any more goes after this time: its version counter, and ended
 * entries that nobody looked for.
 */
export const emptyKeepMs = 3_600_000;

/** How long and how many changes can be replayed. A subscriber that was away for longer is told to begin anew. */
export const changeRules: { readonly keepMs: number; readonly keepCount: number; readonly format: 'framed' } = {
  keepMs: 300_000,
  keepCount: 1_000,
  format: 'framed',
};

/**
 * The version after `version`, 0 for none, at `nowMs`: beyond every version given before, also one that the store has
 * lost since.
 */
export function nextVersion(version: number, nowMs: number): number {
  return Math.max(version + 1, nowMs * 1024);
}

/** The key of a map's entries; `:expiry` and `:changes` behind it are those of its expiries and its changes. */
export function mapBase(keys: Keys, name: string): string {
  return keys.tagged('map', name);
}

/** The name of the channel of a map's changes, whose prefix is {@link mapBase}. */
export const changesName = 'changes';

/** An owner as headers and messages hold it: without the bar that ends it. */
export function encodeOwner(owner: string): string {
  return owner.replaceAll('%', '%25').replaceAll('|', '%7C');
}

/** Undoes {@link encodeOwner}. Text it cannot have made stays as it is. */
export function decodeOwner(text: string): string {
  return text.replaceAll('%7C', '|').replaceAll('%25', '%');
}

/** @throws InvalidArgumentError for a map name that is no key part. */
export function checkMapName(name: string): void {
  encodePart(name);
}
