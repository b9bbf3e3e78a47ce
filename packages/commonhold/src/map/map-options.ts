import type { AwayChoices } from '../away.js';
import { type Duration, durationMsOrForever } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkGuard, type Guard, type GuardOptions } from '../guard.js';
import type { Keys } from '../keys.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { checkPageCursor } from '../page-cursor.js';
import { changeRules, changesName, checkMapName, mapBase, type MapSpace } from './map-port.js';

/** Every process that uses one map gives it the same options. */
export interface MapOptions {
  /** How long an entry lives when a write does not say. Default: without end. */
  readonly ttl?: Duration;
  /**
   * Publish every write, for {@link SharedMap.subscribe} and {@link SharedMap.replica}. Default false. The name of the map
   * must then be visible ASCII, and an encoded value may have 512 KiB.
   */
  readonly changes?: boolean;
  /**
   * Documented layout, for keys that other programs read: each entry is one string key `<prefix>:<key>`, without the
   * namespace, whose value is JSON text. 1 to 256 visible ASCII characters; on a clustered server it must hold a `{tag}`.
   * Only `get`, `getEntry`, `getMany`, `has`, `set`, `add`, `delete`, `update` and `touch` work then, and none takes a `guard`.
   */
  readonly prefix?: string;
  /**
   * Without Redis: `'buffer'` (default) reads what this process last read or wrote of a key, and notes writes until Redis is
   * back; `'stale'` reads so and rejects writes; `'throw'` rejects all. When a noted `set` is brought there, a key that this
   * process never read or wrote is written where there is none, and is a conflict where there is one; so is a key that was
   * known and was removed meanwhile, by anybody or with all that Redis lost.
   */
  readonly away?: AwayChoices['map'];
  /**
   * How long ago Redis may have told this process what it serves without it: what is older is not known any more, and
   * rejects with `Unavailable`. Writes that are noted here do not grow old so. `Infinity` for no bound. Default 5 minutes,
   * the longest break that {@link SharedMap.subscribe} mends.
   */
  readonly staleFor?: Duration;
}

/** Options of one write. */
export interface MapSetOptions extends GuardOptions {
  /** How long this entry lives; the map's own `ttl` by default, `Infinity` for no end. */
  readonly ttl?: Duration;
}

/** Which part of the entries. */
export interface MapPageOptions {
  /** The cursor of the page before. Default: from the beginning. */
  readonly cursor?: string;
  /** About how many entries, 1 to 1,000. Default 100. A page may hold more or fewer, even none before the last. */
  readonly limit?: number;
}

/** Whom to tell when something is missing. */
export interface MapSubscribeOptions {
  /** Called when changes may have been missed; the entries are then to be read anew. Delivery goes on once it has settled. */
  readonly onResync?: () => void | Promise<void>;
}

const mapOptionNames: OptionNames<MapOptions> = {
  ttl: true,
  changes: true,
  prefix: true,
  away: true,
  staleFor: true,
};
const setOptionNames: OptionNames<MapSetOptions> = { ttl: true, guard: true };
const guardOptionNames: OptionNames<GuardOptions> = { guard: true };
const pageOptionNames: OptionNames<MapPageOptions> = { cursor: true, limit: true };
const subscribeOptionNames: OptionNames<MapSubscribeOptions> = { onResync: true };

/** What a map does with its options. */
export interface ResolvedMapOptions {
  readonly space: MapSpace;
  readonly ttlMs: number | undefined;
}

/** @throws InvalidArgumentError naming the option. */
export function resolveMapOptions(name: string, options: MapOptions, keys: Keys): ResolvedMapOptions {
  checkMapName(name);
  checkOptionNames(`map ${name}`, options, mapOptionNames);
  const { prefix, changes = false, staleFor = changeRules.keepMs } = options;
  const ttlMs = durationMsOrForever(options.ttl, `map ${name}, ttl`);
  const staleMs = durationMsOrForever(staleFor, `map ${name}, staleFor`);
  if (typeof changes !== 'boolean') throw new InvalidArgumentError(`map ${name}, changes`, 'a boolean', changes);
  if (prefix !== undefined) keys.documented(prefix);
  if (prefix !== undefined && changes) {
    throw new InvalidArgumentError(`map ${name}`, 'either changes or prefix', 'both');
  }
  if (changes) checkChangesName(name, keys);
  return { space: { name, prefix, timed: ttlMs !== undefined, staleMs, changes }, ttlMs };
}

// The channel of the changes is opened by its key, which must hold nothing else.
function checkChangesName(name: string, keys: Keys): void {
  try {
    keys.documented(mapBase(keys, name), changesName);
  } catch (cause) {
    throw new InvalidArgumentError('The name of a map with changes', 'at most 200 visible ASCII characters', name, {
      cause,
    });
  }
}

/** What one write says: its lifetime in milliseconds, and its guard. @throws InvalidArgumentError */
export function resolveWrite(
  space: MapSpace,
  options: MapSetOptions,
  ttlMs: number | undefined,
): { readonly ttlMs: number | undefined; readonly guard: Guard | undefined } {
  checkOptionNames(`map ${space.name}`, options, setOptionNames);
  const own = options.ttl === undefined ? ttlMs : durationMsOrForever(options.ttl, `map ${space.name}, ttl`);
  return { ttlMs: own, guard: guardOf(space, options.guard) };
}

/** The guard of a call that has no other options. @throws InvalidArgumentError */
export function resolveGuard(space: MapSpace, options: GuardOptions | undefined): Guard | undefined {
  if (options === undefined) return undefined;
  checkOptionNames(`map ${space.name}`, options, guardOptionNames);
  return guardOf(space, options.guard);
}

function guardOf({ name, prefix }: MapSpace, guard: Guard | undefined): Guard | undefined {
  if (guard === undefined || prefix === undefined) return checkGuard(`map ${name}`, guard);
  throw new InvalidArgumentError(`map ${name}, guard`, 'no guard in a map with a prefix', guard);
}

const mostEntriesPerPage = 1_000;

/** Where a page begins and about how long it is. @throws InvalidArgumentError */
export function resolvePage(name: string, options: MapPageOptions): { cursor: string; limit: number } {
  checkOptionNames(`map ${name}, page`, options, pageOptionNames);
  const { limit = 100 } = options;
  const cursor = checkPageCursor(`map ${name}`, options.cursor);
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= mostEntriesPerPage)) {
    throw new InvalidArgumentError(`map ${name}, limit`, `a whole number from 1 to ${mostEntriesPerPage}`, limit);
  }
  return { cursor, limit };
}

/** @throws InvalidArgumentError for an unknown name. */
export function checkSubscribeOptions(name: string, options: MapSubscribeOptions): void {
  checkOptionNames(`map ${name}, subscribe`, options, subscribeOptionNames);
}

const mostKeyBytes = 512;

/** @throws InvalidArgumentError for a key that is empty, not well-formed text or longer than 512 bytes. */
export function checkKey(name: string, key: string): void {
  if (typeof key === 'string' && key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= mostKeyBytes) return;
  throw new InvalidArgumentError(`map ${name}, key`, `1 to ${mostKeyBytes} bytes of well-formed text`, key);
}
