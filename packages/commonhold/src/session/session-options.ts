import type { AwayChoices } from '../away.js';
import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { encodePart, type Keys } from '../keys.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { checkOf, type StandardSchema, type ValueCheck } from '../schema.js';
import type { SessionSpace } from './session-port.js';

/** How the sessions of one name live. */
export interface SessionsOptions {
  /**
   * A session ends when it was not used for this long. Default 30 minutes. Use is noted at most every hundredth of it and
   * at most every 15 s, so a session may end by as much too early.
   */
  readonly idle?: Duration;
  /** A session ends this long after login, however much it is used. Default 7 days. */
  readonly absolute?: Duration;
  /**
   * How long `read` still says of a session that expired which lifetime ended it; later, and by default at once, it is
   * `absent`. Costs a script instead of a plain command for each read.
   */
  readonly remember?: Duration;
  /** How long `read` says `revoked` of a revoked session; later it is `absent`. Default 10 minutes. */
  readonly tombstone?: Duration;
  /** The most live sessions of one user, 1 to 10,000. Default: no bound. */
  readonly maxPerUser?: number;
  /**
   * What a login beyond `maxPerUser` does. `evict` (default): it ends the user's session least recently used. `refuse`: it
   * rejects with `SessionLimit` and changes nothing.
   */
  readonly whenFull?: 'evict' | 'refuse';
  /**
   * How long the old token of `renew` still opens the session for reading, so that requests which were under way meanwhile
   * do not find it gone. Default 10 seconds; 0 for not at all; at most 5 minutes. Logins and `rotate` never have any.
   */
  readonly grace?: Duration;
  /**
   * Called when the old token of `renew` comes after its grace: by a browser that was restored, or by whoever stole it.
   * It opens nothing either way. Called once a token over all processes, in that which saw it. What it throws, or rejects
   * with, is logged.
   */
  readonly onReuse?: (reuse: TokenReuse) => void | Promise<void>;
  /**
   * Key names that other programs rely on, verbatim: `<prefix>:<SHA-256 of the token in hexadecimal>` and
   * `<prefix>:u:<user>`. On a clustered server it must hold a `{tag}`. Default: the library's own names.
   */
  readonly prefix?: string;
  /**
   * Without the store: `stale` serves sessions that this process read a short while ago, and revokes, here at once and there
   * first of all when it is back; logins and writes reject with `Unavailable`. `closed` rejects all. Default `stale`.
   */
  readonly away?: AwayChoices['session'];
  /**
   * How long after the store told this process of a session it may be served without the store, flagged as `stale`; never
   * beyond its own end. For as long a session that another process ended may go on here. Default 30 s.
   */
  readonly staleFor?: Duration;
}

/** What the fields of sessions must be. */
export interface SessionSchemas<Data extends object> {
  /**
   * A synchronous schema of https://standardschema.dev for each field, such as `z.object({…}).shape`. Applied to what is
   * written, before anything is sent, and to what is read; it must take what it gives, which is stored. A field that is not
   * named here cannot be written, and is left out of what is read. Default: nothing is checked.
   */
  readonly schema?: { readonly [Field in keyof Data]-?: StandardSchema<unknown, Data[Field]> } | undefined;
}

/** Whose token was used too late. */
export interface TokenReuse {
  readonly user: string | undefined;
  /** The id that the session got with that renewal; later ones gave it others. */
  readonly id: string;
}

const names = {
  idle: true,
  absolute: true,
  remember: true,
  tombstone: true,
  maxPerUser: true,
  whenFull: true,
  grace: true,
  onReuse: true,
  prefix: true,
  away: true,
  staleFor: true,
} satisfies OptionNames<SessionsOptions>;
const mostPerUser = 10_000;
const longestGraceMs = 300_000;

/** The checks of fields, by their names. */
export type FieldChecks = ReadonlyMap<string, ValueCheck<unknown>>;

/** @throws InvalidArgumentError for anything but schemas by name. */
export function fieldChecks<Data extends object>(
  name: string,
  { schema }: SessionSchemas<Data>,
): FieldChecks | undefined {
  if (schema === undefined) return undefined;
  if (typeof schema !== 'object' || schema === null || '~standard' in schema) {
    throw new InvalidArgumentError(`sessions ${name}, schema`, 'an object with a schema for each field', schema);
  }
  const schemas = Object.entries<StandardSchema | undefined>(schema);
  return new Map(
    schemas.map(([field, given]) => {
      const check = checkOf(given, `sessions ${name}, field ${field}`);
      if (check !== undefined) return [field, check];
      throw new InvalidArgumentError(`sessions ${name}, field ${field}`, 'a schema', given);
    }),
  );
}

/** @throws InvalidArgumentError naming the option. */
export function resolveSpace(name: string, options: SessionsOptions, keys: Keys): SessionSpace {
  encodePart(name);
  checkOptionNames(`sessions ${name}`, options, names);
  const { prefix, remember, maxPerUser } = options;
  if (prefix !== undefined) keys.documented(prefix);
  if (maxPerUser !== undefined && !(Number.isInteger(maxPerUser) && maxPerUser >= 1 && maxPerUser <= mostPerUser)) {
    throw new InvalidArgumentError('sessions maxPerUser', `a whole number from 1 to ${mostPerUser}`, maxPerUser);
  }
  const { whenFull = 'evict', onReuse } = options;
  if (whenFull !== 'evict' && whenFull !== 'refuse') {
    throw new InvalidArgumentError('sessions whenFull', "'evict' or 'refuse'", whenFull);
  }
  if (onReuse !== undefined && typeof onReuse !== 'function') {
    throw new InvalidArgumentError('sessions onReuse', 'a function', onReuse);
  }
  return {
    name,
    prefix,
    idleMs: durationMs(options.idle ?? '30m', 'sessions idle'),
    absoluteMs: durationMs(options.absolute ?? '7d', 'sessions absolute'),
    rememberMs: remember === undefined ? 0 : durationMs(remember, 'sessions remember'),
    tombstoneMs: durationMs(options.tombstone ?? '10m', 'sessions tombstone'),
    maxPerUser: maxPerUser ?? 0,
    whenFull,
    graceMs: resolveGrace(options.grace),
    staleMs: durationMs(options.staleFor ?? '30s', 'sessions staleFor'),
  };
}

function resolveGrace(grace: Duration = '10s'): number {
  if (grace === 0) return 0;
  const ms = durationMs(grace, 'sessions grace');
  if (ms <= longestGraceMs) return ms;
  throw new InvalidArgumentError('sessions grace', '0, or a duration of at most 5 minutes', grace);
}
