import { type Duration, durationMs } from '../duration.js';
import { SessionLimitError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { checkDurable, checkOptionNames, type OptionNames } from '../option-names.js';
import { ServerClock } from '../server-clock.js';
import { RecentTouches } from './recent-touches.js';
import { encodeDevice, type SessionDevice } from './session-device.js';
import { mergeFields, sessionTooLarge } from './session-fields.js';
import { fieldChecks, resolveSpace, type SessionSchemas, type SessionsOptions } from './session-options.js';
import type {
  SessionAddress,
  SessionEnd,
  SessionFieldChanges,
  SessionHolder,
  SessionPort,
  SessionRecord,
  SessionReuse,
  SessionRotation,
  SessionSpace,
} from './session-port.js';
import { moveSession } from './session-move.js';
import {
  corruptOrThrow,
  orCorrupt,
  type Session,
  type SessionChanges,
  type SessionEndReason,
  type SessionRead,
  SessionReader,
} from './session-reader.js';
import { SessionTokens } from './session-token.js';
import { SessionWatches } from './session-watches.js';

/** What a session begins with, or goes on with under a new token. */
export interface SessionLogin<Data extends object> {
  /** Who has just proved who they are; 1 to 512 bytes of text. */
  readonly user?: string | undefined;
  readonly data?: SessionChanges<Data> | undefined;
  /** For the user's list of devices. */
  readonly device?: SessionDevice | undefined;
}

/** One of a user's sessions. */
export interface ListedSession<Data extends object> extends Session<Data> {
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

/** A session and the token that opens it: 64 hexadecimal digits, to be given to its holder and kept nowhere else. */
export interface IssuedSession<Data extends object> {
  readonly token: string;
  readonly session: Session<Data>;
}

/** What a token opens, kept in sight. */
export type WatchedSession<Data extends object> = SessionRead<Data> & {
  /** Ends the watching. May be called twice. */
  readonly close: () => void;
};

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
const loginNames = { user: true, data: true, device: true } satisfies OptionNames<SessionLogin<object>>;
const listNames = { current: true } as const;
const watchNames = { signal: true } as const;

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
 * have done it; revoking again is always safe. What goes on without the store says the option `away`.
 */
export class Sessions<Data extends object> {
  readonly #space: SessionSpace;
  readonly #port: SessionPort;
  readonly #context: FeatureContext;
  readonly #tokens: SessionTokens;
  readonly #touches: RecentTouches;
  readonly #serverClock: ServerClock;
  readonly #reader: SessionReader<Data>;
  readonly #watches: SessionWatches;
  readonly #what: string;

  /** Use `state.sessions(name, options)`. */
  constructor(
    name: string,
    { schema, ...options }: SessionsOptions & SessionSchemas<Data>,
    port: SessionPort,
    context: FeatureContext,
    onUse: (close: () => Promise<void>) => void,
  ) {
    const { keys, random, clock } = context;
    this.#space = resolveSpace(name, options, keys);
    this.#port = port;
    this.#context = context;
    const encoding = this.#space.prefix === undefined ? 'base64url' : 'hex';
    this.#tokens = new SessionTokens(`${keys.namespace}\0${name}`, random, encoding);
    this.#touches = new RecentTouches(clock, Math.min(this.#space.idleMs / 100, longestTouchIntervalMs));
    this.#serverClock = new ServerClock(clock);
    this.#what = `sessions ${name}`;
    const rules = { codec: context.codec, checks: fieldChecks<Data>(name, { schema }) };
    this.#reader = new SessionReader(this.#space, rules, context.log, options.onReuse);
    this.#watches = new SessionWatches(this.#space, port, context, { serverClock: this.#serverClock, onUse });
  }

  /**
   * Begins a session, of `user` or of somebody not yet known. Rejects with `SessionLimit` where the user has as many as may
   * be and `whenFull` refuses.
   */
  async create(login: SessionLogin<Data> = {}): Promise<IssuedSession<Data>> {
    const { holder, fields } = this.#readLogin(login);
    const issued = this.#tokens.issue(this.#tokens.bucketOf(holder.user));
    const sentAtMs = this.#context.clock.monotonic();
    const record = await this.#port.create(this.#space, issued.address, holder, mergeFields([], fields));
    if (record === 'full') throw this.#limit();
    this.#noteUse(record, sentAtMs);
    return { token: issued.token, session: await this.#reader.decode(record) };
  }

  /** The live session that `token` opens, or why there is none. Reading is use: it puts off the end by idleness. */
  read(token: string): Promise<SessionRead<Data>> {
    const address = this.#tokens.parse(token);
    if (address === undefined) return Promise.resolve({ session: undefined, reason: 'absent' });
    return this.#find(address).then(
      (found) => this.#reader.open(address.id, found),
      (error: unknown) => this.#reader.ended(address.id, corruptOrThrow(error)),
    );
  }

  /**
   * Writes fields, each by itself, and returns the session's new version; undefined when it is no longer live. Not a use:
   * its life stays as it is.
   */
  async set(token: string, changes: SessionChanges<Data>): Promise<number | undefined> {
    const fields = this.#reader.encode(changes);
    const address = this.#tokens.parse(token);
    if (address === undefined) return undefined;
    const written = await orCorrupt(this.#port.set(this.#space, address, fields));
    return typeof written === 'number' ? written : this.#reader.unwritten(address.id, written);
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
    let found: SessionRecord | SessionEnd | SessionReuse = await orCorrupt(this.#find(address));
    for (;;) {
      const { session } = await this.#reader.open(address.id, found);
      if (session === undefined || typeof found === 'string' || 'reused' in found) return undefined;
      const changes = change(session.data);
      if (changes === undefined) return session;
      const fields = this.#reader.encode(changes);
      const written = await orCorrupt(this.#port.replace(this.#space, address, session.version, fields));
      if (typeof written === 'number') {
        return this.#reader.decode({ ...found, version: written, fields: mergeFields(found.fields, fields) });
      }
      if (typeof written === 'string') return this.#reader.unwritten(address.id, written);
      found = written;
    }
  }

  /**
   * Gives the session a new token, revokes the old one at once, and writes `data`; undefined when it is no longer live.
   * Rotate at every login and change of rights, so that a token known from before is worth nothing.
   *
   * Fields are kept. Another `user` than before is a login: the absolute lifetime begins anew. Without `user`, or with
   * the same, its end stays where it is. The same user given again has proved once more who they are: the session is fresh,
   * see `isFresh`. A login may be refused as `create` says; the session is left as it was then.
   *
   * One step, except where a login moves the session to another slot (not with a `prefix`): then the old token is revoked
   * first and the session made again after. Should the process or the store fail in between, the session is lost and its
   * user logs in again.
   */
  async rotate(token: string, login: SessionLogin<Data> = {}): Promise<IssuedSession<Data> | undefined> {
    const { holder, fields } = this.#readLogin(login);
    const userBucket = holder.user === undefined ? undefined : this.#tokens.bucketOf(holder.user);
    return this.#reissue(token, { ...holder, renewal: false }, fields, userBucket);
  }

  /**
   * Gives the session a new token now and then, so that a stolen one is not worth much for long; undefined when it is no
   * longer live. The old token still opens the session, for reading, until the `grace` is over: for requests that were
   * under way. It can end the session, and else do nothing to it. Once the session is revoked, no token opens it.
   */
  async renew(token: string): Promise<IssuedSession<Data> | undefined> {
    return this.#reissue(token, { user: undefined, device: undefined, renewal: true }, [], undefined);
  }

  /**
   * Whether the session's user proved who they are within the last `within`, by the server's clock: ask before what a
   * stolen or forgotten session must not do. Login, and `rotate` with `user`, are such proofs; a new token alone is none.
   */
  isFresh(session: Session<Data>, within: Duration): boolean {
    const withinMs = durationMs(within, 'isFresh');
    const now = this.#serverClock.now();
    return session.authenticatedAtMs !== undefined && now !== -Infinity && now - session.authenticatedAtMs <= withinMs;
  }

  /** Ends the session that `token` opens; returns whether it was live, without the store as far as this process knows. */
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
    const revoked = await this.#port.revokeAll(this.#space, bucket, user, this.#tokens.parse(except)?.id, durable);
    this.#watches.lookNow(bucket);
    return revoked;
  }

  /**
   * The live sessions of `user`, the most recently used first. `current` is the token of the one that asks, which is marked.
   * One step, whose cost grows with that user's sessions only.
   */
  async list(user: string, options: { readonly current?: string | undefined } = {}): Promise<ListedSession<Data>[]> {
    checkOptionNames(`${this.#what}, list`, options, listNames);
    const records = await this.#port.list(this.#space, this.#tokens.bucketOf(user), user);
    const reads = await Promise.all(records.map(async (record) => this.#reader.open(record.id, record)));
    const currentId = this.#tokens.parse(options.current)?.id;
    const sessions = reads.flatMap(({ session }) => session ?? []);
    return sessions
      .map((session) => ({ ...session, current: session.id === currentId }))
      .toSorted((one, other) => other.lastActivityAtMs - one.lastActivityAtMs);
  }

  /**
   * Reads the session as `read` does, and from then on calls `onEnd` once when it ends, whichever process ended it: for a
   * socket, which must not outlive its session. A revocation is heard within moments, an expiry within a second or so; a
   * broken link is made up for when it is back. While the session is renewed it goes on; after `rotate` it has ended, and
   * its holder comes back with the new token.
   *
   * Call `close` of what it returns, or abort `signal`, when the socket is gone: then nothing is called any more, and the
   * last one of a process takes the subscription with it. Watching is no use of the session: it expires as without. What
   * `onEnd` throws, or rejects with, is logged.
   */
  async watch(
    token: string,
    onEnd: (reason: SessionEndReason) => void | Promise<void>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<WatchedSession<Data>> {
    checkOptionNames(`${this.#what}, watch`, options, watchNames);
    const { signal } = options;
    signal?.throwIfAborted();
    const address = this.#tokens.parse(token);
    if (address === undefined) return { session: undefined, reason: 'absent', close: () => undefined };
    const watcher = await this.#watches.begin(address, signal);
    const close = (): void => this.#watches.forget(watcher);
    try {
      const read = await this.read(token);
      signal?.throwIfAborted();
      if (read.session !== undefined) this.#watches.seen(watcher, read.session.id, read.session.expiresAtMs);
      else close();
      // What was heard after the read is newer.
      if (watcher.end !== undefined) return { session: undefined, reason: watcher.end, close };
      watcher.onEnd = onEnd;
      return { ...read, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  #find(address: SessionAddress): Promise<SessionRecord | SessionEnd | SessionReuse> {
    const { id } = address;
    if (!this.#touches.begin(id)) return this.#port.read(this.#space, address);
    const sentAtMs = this.#context.clock.monotonic();
    return this.#port.touch(this.#space, address).then(
      (found) => {
        if (typeof found !== 'object' || !('id' in found)) return found;
        if (found.stale) this.#touches.forget(id);
        else if (found.id === id) this.#noteUse(found, sentAtMs);
        return found;
      },
      (error: unknown) => {
        this.#touches.forget(id);
        throw error;
      },
    );
  }

  async #reissue(
    token: string,
    rotation: SessionRotation,
    fields: SessionFieldChanges,
    userBucket: string | undefined,
  ): Promise<IssuedSession<Data> | undefined> {
    const address = this.#tokens.parse(token);
    if (address === undefined) return undefined;
    const issued = this.#tokens.issue(userBucket ?? address.bucket);
    this.#touches.forget(address.id);
    const sentAtMs = this.#context.clock.monotonic();
    const moved = await moveSession(this.#port, this.#space, { from: address, to: issued.address }, rotation, fields);
    if (moved === 'too-large') throw sessionTooLarge(this.#what);
    if (moved === 'full') throw this.#limit();
    if (typeof moved === 'object') this.#noteUse(moved, sentAtMs);
    const { session } = await this.#reader.open(issued.address.id, moved);
    return session === undefined ? undefined : { token: issued.token, session };
  }

  #durability(options: RevokeOptions): boolean {
    checkOptionNames(`${this.#what}, revoke`, options, revokeOptionNames);
    checkDurable(options.durable, `${this.#what}, durable`);
    return options.durable ?? false;
  }

  async #revoke(address: SessionAddress, user: string | undefined, durable: boolean): Promise<boolean> {
    this.#touches.forget(address.id);
    const revoked = await orCorrupt(this.#port.revoke(this.#space, address, user, durable));
    this.#watches.lookNow(address);
    if (typeof revoked === 'boolean') return revoked;
    this.#reader.unwritten(address.id, revoked);
    return false;
  }

  /** A use of the session, which the server noted when it answered. */
  #noteUse({ id, lastActivityAtMs }: SessionRecord, sentAtMs: number): void {
    this.#touches.note(id);
    this.#serverClock.answered(lastActivityAtMs, sentAtMs);
  }

  #readLogin(login: SessionLogin<Data>): { holder: SessionHolder; fields: SessionFieldChanges } {
    checkOptionNames(this.#what, login, loginNames);
    const holder = { user: login.user, device: encodeDevice(login.device, this.#what) };
    return { holder, fields: this.#reader.encode(login.data) };
  }

  #limit(): SessionLimitError {
    return new SessionLimitError(this.#what, this.#space.maxPerUser);
  }
}
