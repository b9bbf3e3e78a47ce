import type { AwayChoices } from '../away.js';
import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames } from '../option-names.js';
import { checkLocation, type Location, type RegionMap } from './location.js';
import type { PresenceSpace } from './presence-port.js';

/** Every process that uses one presence gives the same options. */
export interface PresenceOptions {
  /** A member that was not active for longer is gone. 10 s or more; default 5 minutes. */
  readonly silence?: Duration;
  /** Finds the region of a location, and neighbours; `geohashRegions()` of `commonhold/geohash` is one. */
  readonly regions?: RegionMap;
  /**
   * `compact` (default): keys of our own. `documented`: besides, under `prefix`, keys that any program can read:
   * `<prefix>:session:<id>`, `<prefix>:heartbeat:<id>`, `<prefix>:user:<user>:sessions` and
   * `<prefix>:region:<region>:members`. On Redis only; they show, and nothing is read from them.
   */
  readonly layout?: 'compact' | 'documented';
  /** For `documented`: 1 to 128 visible ASCII characters, taken as they are; on a cluster with a hash tag, `{app}`. */
  readonly prefix?: string;
  /**
   * Without the store: `memory` goes on with the members of this process, who are flagged `local`, and brings them to the
   * store when it is back; `throw` rejects with `Unavailable`. Default `memory`.
   */
  readonly away?: AwayChoices['presence'];
}

/** Who joins. */
export interface JoiningMember<Meta> {
  /** 1 to 512 bytes of text, such as the id of a socket. A member of the same id is replaced, wherever it is. */
  readonly id: string;
  /** Whose member it is; a user may have many. 1 to 512 bytes. */
  readonly user?: string;
  /** Where it is; default what `regions` says of `location`. 1 to 512 bytes. */
  readonly region?: string;
  /** Asks for the option `regions` of the presence, or a `region` beside it. */
  readonly location?: Location;
  /** Anything the codec takes, up to 4 KiB. Shown under documented names: its member `userAgent`, if that is text. */
  readonly meta?: Meta;
}

/** Where to. */
export interface PresenceMove {
  /** Default: what `regions` says of `location`; without either the region stays. */
  readonly region?: string;
  /** Default: as it is. */
  readonly location?: Location;
}

const shortestSilenceMs = 10_000;
const mostTextBytes = 512;

/** @throws InvalidArgumentError naming the option. */
export function resolvePresence(name: string, options: PresenceOptions): PresenceSpace {
  checkOptionNames('presence', options, { silence: true, regions: true, layout: true, prefix: true, away: true });
  if (typeof name !== 'string' || !/^[!-~]{1,50}$/.test(name)) {
    throw new InvalidArgumentError('presence name', '1 to 50 visible ASCII characters', name);
  }
  const silenceMs = durationMs(options.silence ?? '5m', 'presence silence');
  if (silenceMs < shortestSilenceMs) {
    throw new InvalidArgumentError('presence silence', '10 s or more: signs of life come every 4 s', options.silence);
  }
  return { name, prefix: resolvePrefix(options), silenceMs };
}

function resolvePrefix({ layout, prefix }: PresenceOptions): string | undefined {
  if (layout === undefined || layout === 'compact') {
    if (prefix === undefined) return undefined;
    throw new InvalidArgumentError('presence prefix', "layout 'documented' beside it", layout);
  }
  if (layout !== 'documented') throw new InvalidArgumentError('presence layout', "'compact' or 'documented'", layout);
  if (typeof prefix === 'string' && /^[!-~]{1,128}$/.test(prefix)) return prefix;
  throw new InvalidArgumentError('presence prefix', '1 to 128 visible ASCII characters', prefix);
}

/** @throws InvalidArgumentError naming `where`, unless `text` is 1 to 512 bytes without control characters. */
export function checkText(where: string, text: string): string {
  const fine = typeof text === 'string' && text !== '' && text.isWellFormed() && !/\p{Cc}/u.test(text);
  if (fine && Buffer.byteLength(text) <= mostTextBytes) return text;
  throw new InvalidArgumentError(where, `1 to ${mostTextBytes} bytes of text without control characters`, text);
}

/** The region and the location, as text, that somebody goes to; '' for what is not said. */
export function resolvePlace(to: PresenceMove, regions: RegionMap | undefined): { region: string; location: string } {
  const { location } = to;
  if (location !== undefined) checkLocation('presence location', location);
  const region = to.region ?? (location === undefined ? undefined : regions?.regionOf(location));
  return {
    region: region === undefined ? '' : checkText('presence region', region),
    location: location === undefined ? '' : locationText(location),
  };
}

function locationText({ latitude, longitude }: Location): string {
  return `${latitude},${longitude}`;
}
