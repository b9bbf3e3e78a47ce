import { isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { checkDurable, checkOptionNames, type OptionNames } from '../option-names.js';
import { RecentTouches } from './recent-touches.js';
import { decodeFields, encodeFields, type FieldRules, mergeFields, sessionTooLarge } from './session-fields.js';
import { fieldChecks, resolveSpace, type SessionSchemas, type SessionsOptions } from './session-options.js';
import type {
  SessionAddress,
  SessionEnd,
  SessionFieldChanges,
  SessionPort,
  SessionRecord,
  SessionRefusal,
  SessionSpace,
  SessionUnwritten,
} from './session-port.js';
import { SessionTokens } from './session-token.js';

/** One live session, as it was when read. Times are the server's, in milliseconds since 1970. */
export interface Session<Data extends object> {
  /** Names the session to its user, in a list of devices say. Not the token, and of no use as one. */
  readonly id: string;
  /** Undefined for somebody who has not logged in. */
  readonly user: string | undefined;
  readonly data: Partial<Data>;
  readonly createdAtMs: number;
  /** When it was last used, as far as that was noted: see the option `idle`. */
  readonly lastActivityAtMs: number;
  /** When it ends if it is not used again. */
  readonly expiresAtMs: number;
  /** 1 for a fresh token; each write adds 1. */
  readonly version: number;
}

/** Fields to write; a value of undefined removes its field. */
export type SessionChanges<Data extends object> = { readonly [Field in keyof Data]?: Data[Field] | undefined };

/** What a session begins with, or goes on with under a new token. */
export interface SessionLogin<Data extends object> {
  /** 1 to 512 bytes of text. */
  readonly user?: string | undefined;
  readonly data?: SessionChanges<Data> | undefined;
}

/** A session and the token that opens it: 64 hexadecimal digits, to be given to its holder and kept nowhere else. */
export interface IssuedSession<Data extends object> {
  readonly token: string;
  readonly session: Session<Data>;
}

/**
 * Why there is no session. `idle` and `absolute` are told apart only while the option `remember` says; `absent` is
 * everything unknown, malformed or long over.
 */
export type SessionEndReason = Exclude<SessionEnd, 'corrupt'>;

/** What a token opens. */
export type SessionRead<Data extends object> =
  | { readonly session: Session<Data>; readonly reason?: undefined }
  | { readonly session: undefined; readonly reason: SessionEndReason };

/** How a session is ended. */
export interface RevokeOptions {
  /**
   * Whether the answer comes only when that outlives the server: it is on a replica, or in the log on disk where the server
   * has no replica. Default false: a server that dies in that moment may bring the session back.
   */
  readonly durable?: boolean;
}

/** Which sessions of a user are ended, and how. */
export interface RevokeAllOptions extends RevokeOptions {
  /** The token of one that lives on. */
  readonly except?: string | undefined;
}

const revokeOptionNames: OptionNames<RevokeOptions> = { durable: true };
const longestTouchIntervalMs = 15_000;

/**
 * Sessions by token. The store knows a token by its SHA-256 only. Both lifetimes go by the server's clock. Each field is
 * written by itself, so concurrent requests do not undo each other's writes, and nothing written to a session that has
 * ended brings it back.
 *
 * Data are the own properties of an object: names of 1 to 128 bytes, values as a cache takes them, names and encoded
 * values together at most 64 KiB (else `ValueTooLarge`). What comes back is a copy. A stored session that this version
 * cannot read counts as absent, with a line in the log. No token, however malformed, makes a method throw.
 *
 * Every method rejects with `Unavailable` when the store certainly did nothing, and with `OutcomeUnknown` when it may
 * have done it; revoking again is always safe.
 */
export class Sessions<Data extends object> {
  readonly #space: SessionSpace;
  readonly #port: SessionPort;
  readonly #context: FeatureContext;
  readonly #tokens: SessionTokens;
  readonly #touches: RecentTouches;
  readonly #what: string;
  readonly #fields: FieldRules;

  /** Use `state.sessions(name, options)`. */
  constructor(
    name: string,
    { schema, ...options }: SessionsOptions & SessionSchemas<Data>,
    port: SessionPort,
    context: FeatureContext,
  ) {
    const { keys, random, clock } = context;
    this.#space = resolveSpace(name, options, keys);
    this.#port = port;
    this.#context = context;
    const encoding = this.#space.prefix === undefined ? 'base64url' : 'hex';
    this.#tokens = new SessionTokens(`${keys.namespace}\0${name}`, random, encoding);
    this.#touches = new RecentTouches(clock, Math.min(this.#space.idleMs / 100, longestTouchIntervalMs));
    this.#what = `sessions ${name}`;
    this.#fields = { codec: context.codec, checks: fieldChecks<Data>(name, { schema }) };
  }

  /** Begins a session, of `user` or of somebody not yet known. */
  async create(login: SessionLogin<Data> = {}): Promise<IssuedSession<Data>> {
    const issued = this.#tokens.issue(this.#tokens.bucketOf(login.user));
    const fields = mergeFields([], this.#encode(login.data));
    const record = await this.#port.create(this.#space, issued.address, login.user, fields);
    this.#touches.note(record.id);
    return { token: issued.token, session: await this.#decode(record) };
  }

  /** The live session that `token` opens, or why there is none. Reading is use: it puts off the end by idleness. */
  read(token: string): Promise<SessionRead<Data>> {
    const address = this.#tokens.parse(token);
    if (address === undefined) return Promise.resolve({ session: undefined, reason: 'absent' });
    return this.#find(address).then(
      (found) => this.#open(address.id, found),
      (error: unknown) => this.#ended(address.id, corruptOrThrow(error)),
    );
  }

  /**
   * Writes fields, each by itself, and returns the session's new version; undefined when it is no longer live. Not a use:
   * its life stays as it is.
   */
  async set(token: string, changes: SessionChanges<Data>): Promise<number | undefined> {
    const fields = this.#encode(changes);
    const address = this.#tokens.parse(token);
    if (address === undefined) return undefined;
    const written = await this.#guard(this.#port.set(this.#space, address, fields));
    return typeof written === 'number' ? written : this.#unwritten(address.id, written);
  }

  /**
   * Writes what `change` makes of the data, if nobody wrote since they were read; else reads and asks `change` again. So
   * a counter in a session counts right. Returns the session as written; undefined when it is no longer live. `change`
   * may run several times, and writes nothing by returning undefined.
   */
  async update(
    token: string,
    change: (data: Readonly<Partial<Data>>) => SessionChanges<Data> | undefined,
  ): Promise<Session<Data> | undefined> {
    const address = this.#tokens.parse(token);
    if (address === undefined) return undefined;
    let found: SessionRecord | SessionEnd = await this.#guard(this.#find(address));
    for (;;) {
      const { session } = await this.#open(address.id, found);
      if (session === undefined || typeof found === 'string') return undefined;
      const changes = change(session.data);
      if (changes === undefined) return session;
      const fields = this.#encode(changes);
      const written = await this.#guard(this.#port.replace(this.#space, address, session.version, fields));
      if (typeof written === 'number') {
        return this.#decode({ ...found, version: written, fields: mergeFields(found.fields, fields) });
      }
      if (typeof written === 'string') return this.#unwritten(address.id, written);
      found = written;
    }
  }

  /**
   * Gives the session a new token, revokes the old one at once, and writes `data`; undefined when it is no longer live.
   * Rotate at every login and change of rights, so that a token known from before is worth nothing.
   *
   * Fields are kept. Another `user` than before is a login: the absolute lifetime begins anew. Without `user`, or with
   * the same, its end stays where it is.
   *
   * One step, except where a login moves the session to another slot (not with a `prefix`): then the old token is revoked
   * first and the session made again after. Should the process or the store fail in between, the session is lost and its
   * user logs in again.
   */
  async rotate(token: string, login: SessionLogin<Data> = {}): Promise<IssuedSession<Data> | undefined> {
    const fields = this.#encode(login.data);
    const userBucket = login.user === undefined ? undefined : this.#tokens.bucketOf(login.user);
    const address = this.#tokens.parse(token);
    if (address === undefined) return undefined;
    const issued = this.#tokens.issue(userBucket ?? address.bucket);
    this.#touches.forget(address.id);
    const moved = await this.#move(address, issued.address, login.user, fields);
    if (moved === 'too-large') throw sessionTooLarge(this.#what);
    this.#touches.note(issued.address.id);
    const { session } = await this.#open(issued.address.id, moved);
    return session === undefined ? undefined : { token: issued.token, session };
  }

  /** Ends the session that `token` opens; returns whether it was live. */
  async revoke(token: string, options: RevokeOptions = {}): Promise<boolean> {
    const durable = this.#durability(options);
    const address = this.#tokens.parse(token);
    return address === undefined ? false : this.#revoke(address, undefined, durable);
  }

  /** Ends the session of `user` that `list` showed under `id`; returns whether it was live and of that user. */
  async revokeById(user: string, id: string, options: RevokeOptions = {}): Promise<boolean> {
    const durable = this.#durability(options);
    const bucket = this.#tokens.bucketOf(user);
    return this.#tokens.isId(id) ? this.#revoke({ bucket, id }, user, durable) : false;
  }

  /**
   * Ends every session of `user`, or every one but that of the token `except`; returns how many. One step, whose cost
   * grows with that user's sessions only. A login is either before it, and ended, or after it, and lives.
   */
  async revokeAll(user: string, { except, ...options }: RevokeAllOptions = {}): Promise<number> {
    const durable = this.#durability(options);
    const bucket = this.#tokens.bucketOf(user);
    return this.#port.revokeAll(this.#space, bucket, user, this.#tokens.parse(except)?.id, durable);
  }

  /** The live sessions of `user`, the most recently used first. */
  async list(user: string): Promise<Session<Data>[]> {
    const records = await this.#port.list(this.#space, this.#tokens.bucketOf(user), user);
    const reads = await Promise.all(records.map(async (record) => this.#open(record.id, record)));
    const sessions = reads.flatMap(({ session }) => session ?? []);
    return sessions.toSorted((one, other) => other.lastActivityAtMs - one.lastActivityAtMs);
  }

  #find(address: SessionAddress): Promise<SessionRecord | SessionEnd> {
    const { id } = address;
    if (!this.#touches.begin(id)) return this.#port.read(this.#space, address);
    return this.#port.touch(this.#space, address).catch((error: unknown) => {
      this.#touches.forget(id);
      throw error;
    });
  }

  #move(
    from: SessionAddress,
    to: SessionAddress,
    user: string | undefined,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const isNear = this.#space.prefix !== undefined || from.bucket === to.bucket;
    if (isNear) return this.#guard(this.#port.rotate(this.#space, from, to.id, user, fields));
    return this.#moveFar(from, to, user, fields);
  }

  async #moveFar(
    from: SessionAddress,
    to: SessionAddress,
    user: string | undefined,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const taken = await this.#guard(this.#port.take(this.#space, from, fields));
    if (typeof taken === 'string') return taken;
    return this.#port.create(this.#space, to, user, mergeFields(taken.fields, fields));
  }

  #durability(options: RevokeOptions): boolean {
    checkOptionNames(`${this.#what}, revoke`, options, revokeOptionNames);
    checkDurable(options.durable, `${this.#what}, durable`);
    return options.durable ?? false;
  }

  async #revoke(address: SessionAddress, user: string | undefined, durable: boolean): Promise<boolean> {
    this.#touches.forget(address.id);
    const revoked = await this.#guard(this.#port.revoke(this.#space, address, user, durable));
    if (typeof revoked === 'boolean') return revoked;
    this.#unwritten(address.id, revoked);
    return false;
  }

  // What another program or a newer version wrote opens nothing; it is said, not hidden.
  #open(id: string, found: SessionRecord | SessionEnd): SessionRead<Data> | Promise<SessionRead<Data>> {
    if (typeof found === 'string') return this.#ended(id, found);
    const unreadable = (error: unknown): SessionRead<Data> => {
      if (!isCommonholdError(error)) throw error;
      return this.#ended(id, 'corrupt', error.code);
    };
    try {
      const session = this.#decode(found);
      return session instanceof Promise ? session.then((session) => ({ session }), unreadable) : { session };
    } catch (error) {
      return unreadable(error);
    }
  }

  #ended(id: string, end: SessionEnd, code?: string): SessionRead<Data> {
    if (end !== 'corrupt') return { session: undefined, reason: end };
    const fields = { sessions: this.#space.name, id, ...(code === undefined ? {} : { code }) };
    this.#context.log.warn(fields, 'an unreadable session counts as absent');
    return { session: undefined, reason: 'absent' };
  }

  #unwritten(id: string, why: SessionUnwritten | 'corrupt'): undefined {
    if (why === 'too-large') throw sessionTooLarge(this.#what);
    if (why === 'corrupt') this.#ended(id, why);
  }

  #guard<Reply>(reply: Promise<Reply>): Promise<Reply | 'corrupt'> {
    return reply.catch(corruptOrThrow);
  }

  #encode(changes: SessionChanges<Data> = {}): SessionFieldChanges {
    return encodeFields(this.#fields, changes, this.#what);
  }

  #decode(record: SessionRecord): Session<Data> | Promise<Session<Data>> {
    const data = decodeFields(this.#fields, record.fields, this.#what);
    return data instanceof Promise ? data.then((data) => this.#session(record, data)) : this.#session(record, data);
  }

  #session(record: SessionRecord, data: Record<string, unknown>): Session<Data> {
    const { id, user, createdAtMs, lastActivityAtMs, version } = record;
    const expiresAtMs = Math.min(lastActivityAtMs + this.#space.idleMs, record.endsAtMs);
    return { id, user, data: data as Partial<Data>, createdAtMs, lastActivityAtMs, expiresAtMs, version };
  }
}

// A key of another type where a session should be is as unreadable as a damaged session.
function corruptOrThrow(error: unknown): 'corrupt' {
  if (isCommonholdError(error) && error.code === 'CorruptState') return 'corrupt';
  throw error;
}
