import type { Duration } from '../../duration.js';
import { InvalidArgumentError } from '../../errors.js';
import type { SessionDevice } from '../../session/session-device.js';
import type { SessionChanges, SessionEndReason } from '../../session/session-reader.js';
import type { IssuedSession, ListedSession, SessionLogin, Sessions, WatchedSession } from '../../session/session.js';

/** Where a session's token goes: into the answer's cookie. */
export interface TokenPlace {
  /** Whether a token can still be put there. */
  isOpen(): boolean;
  put(token: string): void;
  clear(): void;
  /** What is known of who asks. */
  device(): SessionDevice | undefined;
}

/** What a request brought. */
export interface PresentedSession<Data extends object> {
  /** The live session that it opened. */
  readonly held: IssuedSession<Data> | undefined;
  /** Tokens it carried besides. */
  readonly others: readonly string[];
  /** Whether it carried a session cookie at all. */
  readonly sent: boolean;
  /** Why its token opened nothing. */
  readonly endReason: SessionEndReason | undefined;
}

/**
 * The session of one request: what its cookie opened when the request came, and the ways to change it. Its methods run one
 * after the other, also where a handler does not wait for them.
 *
 * A session begins, and a cookie is set, only when something is stored: by `set`, `update` or `login`. A session that ends
 * while a request works is never brought back by that request: its `set` and `update` answer false. The same holds for a
 * cookie whose session was revoked lately, until `login` or `logout`: the browser may just have logged in by another
 * request, whose cookie must not be replaced.
 *
 * Every method but those that log out rejects with `Unavailable` or `OutcomeUnknown` when the store is away, and as
 * `Sessions` says for data that are too large.
 */
export class RequestSession<Data extends object> {
  readonly #sessions: Sessions<Data>;
  readonly #place: TokenPlace;
  readonly #endReason: SessionEndReason | undefined;
  #held: IssuedSession<Data> | undefined;
  #others: readonly string[];
  #hasCookie: boolean;
  /** Whether the session is over although nobody logged out here. */
  #isOver: boolean;
  #turn: Promise<unknown> = Promise.resolve();

  /** Use `request.session`, or the function that `cookieSessions` returns. */
  constructor(sessions: Sessions<Data>, place: TokenPlace, presented: PresentedSession<Data>) {
    this.#sessions = sessions;
    this.#place = place;
    this.#held = presented.held;
    this.#others = presented.others;
    this.#hasCookie = presented.sent;
    this.#endReason = presented.endReason;
    this.#isOver = presented.held === undefined && presented.endReason === 'revoked';
  }

  /** Names the session to its user; of no use as a token. Undefined while there is no live session. */
  get id(): string | undefined {
    return this.#held?.session.id;
  }

  /** Who is logged in; undefined for nobody. */
  get user(): string | undefined {
    return this.#held?.session.user;
  }

  /**
   * Whether the store is away and this is what it told this process a while ago: enough to show a page, too little to allow
   * what must not be done by somebody who was logged out elsewhere.
   */
  get stale(): boolean {
    return this.#held?.session.stale ?? false;
  }

  /** The data as read when the request came, with what was written since by this request. Change them with `set`. */
  get data(): Readonly<Partial<Data>> {
    return this.#held?.session.data ?? ({} as Partial<Data>);
  }

  /** Why the cookie that came opened no session; undefined when it opened one, or none came. */
  get endReason(): SessionEndReason | undefined {
    return this.#endReason;
  }

  /**
   * Writes these fields alone, so that requests at the same time do not undo each other's writes; a value of undefined
   * removes its field. Begins a session where there is none. Returns false, and writes nothing, when the session is over.
   */
  set(changes: SessionChanges<Data>): Promise<boolean> {
    return this.#inTurn(async () => {
      const held = this.#held;
      if (held === undefined) return this.#begin(changes);
      const version = await this.#sessions.set(held.token, changes);
      if (version === undefined) return this.#end();
      const data = without(changes, { ...held.session.data, ...changes });
      this.#held = { token: held.token, session: { ...held.session, version, data } };
      return true;
    });
  }

  /**
   * Writes what `change` makes of the data as they are now: no concurrent write is lost. `change` may run several times,
   * and writes nothing by returning undefined. Otherwise as {@link set}.
   */
  update(change: (data: Readonly<Partial<Data>>) => SessionChanges<Data> | undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      const held = this.#held;
      if (held === undefined) return this.#begin(change({} as Partial<Data>) ?? {});
      const session = await this.#sessions.update(held.token, change);
      if (session === undefined) return this.#end();
      this.#held = { token: held.token, session };
      return true;
    });
  }

  /**
   * Logs `user` in, under a new token; the one from before is dead at once, so that whoever knew it has nothing. Keeps the
   * data of somebody not yet known, adds `data`, and drops the data of another user who was logged in. For the user who is
   * logged in it is the proof that makes the session fresh again. Rejects with `SessionLimit` where the sessions refuse a
   * login too many.
   */
  login(user: string, data?: SessionChanges<Data>): Promise<void> {
    return this.#inTurn(async () => {
      this.#requireOpen();
      await this.#hold(await this.#issue({ user, data, device: this.#place.device() }));
      await this.#revokeOthers();
    });
  }

  /** Gives the session a new token, for when its user's rights change; false when there is no live session. */
  regenerate(): Promise<boolean> {
    return this.#inTurn(() => this.#reissue((token) => this.#sessions.rotate(token)));
  }

  /**
   * Gives the session a new token, now and then, so that a stolen one is not worth much for long; false when there is no
   * live session. Requests that came with the old one meanwhile may still read, and answer false to writes.
   */
  renew(): Promise<boolean> {
    return this.#inTurn(() => this.#reissue((token) => this.#sessions.renew(token)));
  }

  /** Whether the user proved who they are within the last `within`, by the store's clock; false for nobody. */
  isFresh(within: Duration): boolean {
    return this.#held !== undefined && this.#sessions.isFresh(this.#held.session, within);
  }

  /** The user's live sessions, this one marked; none for nobody. */
  list(): Promise<ListedSession<Data>[]> {
    return this.#inTurn(async () => {
      const { id, user } = this;
      if (user === undefined) return [];
      const sessions = await this.#sessions.list(user);
      return sessions.map((session) => ({ ...session, current: session.id === id }));
    });
  }

  /**
   * Calls `onEnd` once when the session ends, wherever that happens: for a WebSocket, which must not outlive it. As `watch`
   * of the sessions.
   */
  watch(
    onEnd: (reason: SessionEndReason) => void | Promise<void>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<WatchedSession<Data>> {
    return this.#inTurn(() => this.#sessions.watch(this.#held?.token ?? '', onEnd, options));
  }

  /** Ends the session and removes the cookie; returns whether the session was live. */
  logout(): Promise<boolean> {
    return this.#inTurn(() => this.#logout());
  }

  /** Ends every session of the user and removes the cookie; returns how many were live. */
  logoutAll(): Promise<number> {
    return this.#inTurn(async () => {
      const { user } = this;
      const ended = user === undefined ? 0 : await this.#sessions.revokeAll(user);
      return (await this.#logout()) ? ended + 1 : ended;
    });
  }

  /** Ends the user's session that `list` showed under `id`, which may be this one; returns whether it was live. */
  logoutOne(id: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const { user } = this;
      if (id === this.id) return this.#logout();
      return user === undefined ? false : this.#sessions.revokeById(user, id);
    });
  }

  /** Ends every session of the user but this one, as after a change of password; returns how many were live. */
  logoutOthers(): Promise<number> {
    return this.#inTurn(async () => {
      const held = this.#held;
      if (held?.session.user === undefined) return 0;
      return this.#sessions.revokeAll(held.session.user, { except: held.token });
    });
  }

  // Two first writes of one request must not begin two sessions.
  #inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(step);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #begin(changes: SessionChanges<Data>): Promise<boolean> {
    if (this.#isOver) return false;
    const data = without(changes, { ...changes });
    if (Object.keys(data).length === 0) return true;
    this.#requireOpen();
    await this.#hold(await this.#sessions.create({ data }));
    return true;
  }

  async #issue(login: SessionLogin<Data>): Promise<IssuedSession<Data>> {
    const held = this.#held;
    if (held === undefined) return this.#sessions.create(login);
    const isAnother = held.session.user !== undefined && held.session.user !== login.user;
    const rotated = isAnother ? undefined : await this.#sessions.rotate(held.token, login);
    if (rotated !== undefined) return rotated;
    const issued = await this.#sessions.create(login);
    // Also where it did not rotate: another request may just have renewed it.
    await this.#sessions.revoke(held.token);
    return issued;
  }

  async #reissue(issue: (token: string) => Promise<IssuedSession<Data> | undefined>): Promise<boolean> {
    const held = this.#held;
    if (held === undefined) return false;
    this.#requireOpen();
    const issued = await issue(held.token);
    if (issued === undefined) return this.#end();
    await this.#hold(issued);
    return true;
  }

  async #hold(issued: IssuedSession<Data>): Promise<void> {
    if (!this.#place.isOpen()) await this.#abandon(issued);
    this.#held = issued;
    this.#isOver = false;
    this.#hasCookie = true;
    this.#place.put(issued.token);
  }

  // The headers went while the store was asked: nobody would ever have this token.
  async #abandon({ token }: IssuedSession<Data>): Promise<never> {
    this.#end();
    await this.#sessions.revoke(token);
    throw this.#headersGone();
  }

  #end(): false {
    this.#held = undefined;
    this.#isOver = true;
    return false;
  }

  // The cookie goes when the session is gone, and not before: without it nobody could try again.
  async #logout(): Promise<boolean> {
    const held = this.#held;
    const wasLive = held !== undefined && (await this.#sessions.revoke(held.token));
    await this.#revokeOthers();
    this.#held = undefined;
    this.#isOver = false;
    if (this.#hasCookie) this.#place.clear();
    return wasLive;
  }

  // A second live session in the same browser would go on where this one ended.
  async #revokeOthers(): Promise<void> {
    const others = this.#others;
    await Promise.all(others.map((token) => this.#sessions.revoke(token)));
    this.#others = [];
  }

  #requireOpen(): void {
    if (!this.#place.isOpen()) throw this.#headersGone();
  }

  #headersGone(): InvalidArgumentError {
    return new InvalidArgumentError(
      'session',
      'an answer that can still carry a cookie',
      'one whose headers were sent',
    );
  }
}

/** @throws InvalidArgumentError unless `device` is a function or absent. */
export function checkDevice<Request>(
  device: ((request: Request) => SessionDevice | undefined) | undefined,
): ((request: Request) => SessionDevice | undefined) | undefined {
  if (device === undefined || typeof device === 'function') return device;
  throw new InvalidArgumentError('cookieSessions, device', 'a function', device);
}

/** Reads what the request's tokens open: the first live session. */
export async function openRequestSession<Data extends object>(
  sessions: Sessions<Data>,
  cookies: { readonly sent: boolean; readonly tokens: readonly string[] },
  place: TokenPlace,
): Promise<RequestSession<Data>> {
  const { sent, tokens } = cookies;
  let endReason: SessionEndReason | undefined;
  for (const [index, token] of tokens.entries()) {
    const { session, reason } = await sessions.read(token);
    if (session !== undefined) {
      const presented = { held: { token, session }, others: tokens.slice(index + 1), sent, endReason: undefined };
      return new RequestSession(sessions, place, presented);
    }
    if (endReason === undefined || endReason === 'absent') endReason = reason;
  }
  return new RequestSession(sessions, place, { held: undefined, others: [], sent, endReason });
}

/** `data` without the fields that `changes` remove. */
function without<Data extends object>(changes: SessionChanges<Data>, data: SessionChanges<Data>): Partial<Data> {
  const kept = Object.entries(data).filter(([name]) => !isRemoved(changes, name));
  return Object.fromEntries(kept) as Partial<Data>;
}

function isRemoved(changes: object, name: string): boolean {
  return Object.hasOwn(changes, name) && (changes as Record<string, unknown>)[name] === undefined;
}
