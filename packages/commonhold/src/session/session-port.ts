import type { Stored } from '../codec/stored.js';

/** What all sessions of one name share. A space is plain data and goes with each call. */
export interface SessionSpace {
  readonly name: string;
  /** Documented key names to use, verbatim, instead of the library's own. */
  readonly prefix: string | undefined;
  /** A session ends when it was not used for this long. */
  readonly idleMs: number;
  /** A session ends this long after login, used or not. */
  readonly absoluteMs: number;
  /** How long a session that expired is still told apart from an unknown one; 0 for not at all. */
  readonly rememberMs: number;
  /** How long a revoked session is remembered as revoked. */
  readonly tombstoneMs: number;
  /** The most live sessions of one user; 0 for no bound. */
  readonly maxPerUser: number;
  /** What happens to a login beyond `maxPerUser`: another session of the user ends for it, or it is refused. */
  readonly whenFull: 'evict' | 'refuse';
  /** How long the old id of a renewed session still opens it, for reading; 0 for not at all. */
  readonly graceMs: number;
  /** How old what was read may be where it is served without the store. */
  readonly staleMs: number;
}

/**
 * One session's place: `id` is the hash of its token, never the token. Sessions of one user share a `bucket`, and with it
 * a slot of a cluster.
 */
export interface SessionAddress {
  readonly bucket: string;
  readonly id: string;
}

/** A live session as stored. Times are the server's, in milliseconds since 1970. */
export interface SessionRecord {
  readonly id: string;
  readonly user: string | undefined;
  /** JSON text of what is known of the device that logged in. */
  readonly device: string | undefined;
  readonly createdAtMs: number;
  /** When its user last proved who they are; undefined without a user. */
  readonly authenticatedAtMs: number | undefined;
  readonly lastActivityAtMs: number;
  /** When it ends even if it is used: touching never moves it. */
  readonly endsAtMs: number;
  /** 1 for a fresh id; each write to the fields adds 1. */
  readonly version: number;
  readonly fields: SessionFields;
  /** Set where the store is away and this is what it told a while ago. */
  readonly stale?: true;
}

/** Names and encoded values of fields. */
export type SessionFields = readonly (readonly [name: string, value: Stored])[];
/** Fields to write; a value of undefined removes its field. */
export type SessionFieldChanges = readonly (readonly [name: string, value: Stored | undefined])[];

/** Who logs in, and on what device. */
export interface SessionHolder {
  readonly user: string | undefined;
  readonly device: string | undefined;
}

/** What becomes of a session that goes on under a new id. */
export interface SessionRotation extends SessionHolder {
  /** Whether the old id still opens it, for reading, during the grace. */
  readonly renewal: boolean;
}

/** The id of a renewed session was used although its grace is over. Told once; then the id is a revoked one. */
export interface SessionReuse {
  /** The id that the session goes by since, or went by at first. */
  readonly reused: string;
  readonly user: string | undefined;
}

/** A session that goes on. */
export interface SessionGlance {
  readonly id: string;
  readonly expiresAtMs: number;
}

/** Why there is no live session. `corrupt`: the key holds something that is not a session of this version. */
export type SessionEnd = 'absent' | 'idle' | 'absolute' | 'revoked' | 'corrupt';
/**
 * Why a session was not moved. `too-large`: its fields together would exceed {@link maxSessionBytes}. `full`: the user has
 * as many sessions as may be.
 */
export type SessionRefusal = SessionEnd | 'too-large' | 'full';
/** Why nothing was written. `ended`: there is no live session, for whatever reason. */
export type SessionUnwritten = 'ended' | 'too-large';

/** Bound on names and encoded values of one session's fields together, in bytes. */
export const maxSessionBytes: number = 64 * 1024;

/**
 * The contract of the two session twins. Each method is one atomic step. A session is live while it was neither revoked
 * nor expired by the server's clock; nothing but `create` and `rotate` ever makes one live. What ends on purpose, moves, or
 * is found expired is published in the same step, as {@link SessionNews}, on {@link sessionChannel}.
 */
export interface SessionPort {
  /**
   * Makes a session under a fresh id, whose user has just proved who they are. Where the user then has more than
   * `maxPerUser`, the least recently used ends, or this is refused.
   */
  create(
    space: SessionSpace,
    address: SessionAddress,
    holder: SessionHolder,
    fields: SessionFields,
  ): Promise<SessionRecord | 'full'>;
  /**
   * Reads a session and leaves its life as it is. The old id of a renewed session opens it until the grace is over, with
   * the new id in the answer.
   */
  read(space: SessionSpace, address: SessionAddress): Promise<SessionRecord | SessionEnd | SessionReuse>;
  /** Reads a session and, where it is live under this id, begins its idle time anew. */
  touch(space: SessionSpace, address: SessionAddress): Promise<SessionRecord | SessionEnd | SessionReuse>;
  /** Writes fields of a live session and returns its new version. Its life stays as it is. */
  set(space: SessionSpace, address: SessionAddress, fields: SessionFieldChanges): Promise<number | SessionUnwritten>;
  /** As `set`, only if `version` is still the session's; else returns the session as it is now. */
  replace(
    space: SessionSpace,
    address: SessionAddress,
    version: number,
    fields: SessionFieldChanges,
  ): Promise<number | SessionRecord | SessionUnwritten>;
  /**
   * Moves a live session to `newId` in the same bucket, revokes the old id but for a renewal's grace, and writes fields;
   * the version begins anew. A `user` has just proved who they are, and one other than the session's begins its absolute
   * lifetime anew; undefined keeps the user. A `device` replaces that of before, and another user's login always does.
   */
  rotate(
    space: SessionSpace,
    address: SessionAddress,
    newId: string,
    rotation: SessionRotation,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal>;
  /** Revokes a live session and returns what it held, if that has room for `fields`, which are not written. */
  take(
    space: SessionSpace,
    address: SessionAddress,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal>;
  /**
   * Revokes a session, only that of `user` where given; returns whether it was live. By the old id of a renewed session,
   * too, while its grace lasts. With `durable` it answers when that outlives the server.
   */
  revoke(space: SessionSpace, address: SessionAddress, user: string | undefined, durable?: boolean): Promise<boolean>;
  /**
   * Revokes every session of `user` but the one that `exceptId` opens, with `durable` as above; returns how many were live.
   */
  revokeAll(
    space: SessionSpace,
    bucket: string,
    user: string,
    exceptId: string | undefined,
    durable?: boolean,
  ): Promise<number>;
  /**
   * Whether a session goes on, and under which id, for who holds it open: follows renewals however late. No use of it,
   * and nothing changes.
   */
  look(space: SessionSpace, address: SessionAddress): Promise<SessionGlance | SessionEnd>;
  /** The live sessions of `user`, in any order. */
  list(space: SessionSpace, bucket: string, user: string): Promise<SessionRecord[]>;
}
