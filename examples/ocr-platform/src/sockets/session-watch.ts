import type { Subscription } from 'commonhold';
import type { EndedSessions, OcrState } from '../ocr-state.js';

/** A socket that lives only as long as its session. */
export interface SessionBound {
  readonly sessionId: string;
  /** Closes the socket. */
  end(): void;
}

/** Sockets by the id of their user, who has at least one. */
export type SessionBoundByUser = ReadonlyMap<string, ReadonlySet<SessionBound>>;

const intervalMs = 5_000;
/** A process with more users on sockets takes more than one interval to look at them all; the messages reach them still. */
const usersPerLook = 500;

/**
 * Ends sockets with their sessions, in two ways. A message names sessions that were ended on purpose, in any process,
 * arrives in milliseconds, and is not lost: the channel makes up for broken links. Every five seconds, and whenever the
 * channel cannot prove that nothing was missed, the sessions of the users who have sockets here are looked at, which
 * finds those that expired. That look is no use of a session and does not keep it.
 *
 * While the store is away nothing is known, and sockets stay.
 */
export class SessionWatch {
  readonly #state: OcrState;
  readonly #bound: SessionBoundByUser;
  #subscription: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #nextUser = 0;

  /** `bound` are the sockets of this process, as they come and go. */
  constructor(state: OcrState, bound: SessionBoundByUser) {
    this.#state = state;
    this.#bound = bound;
  }

  async open(): Promise<void> {
    const onResync = (): Promise<void> => this.#look();
    this.#subscription = await this.#state.ended.subscribe((ended) => this.#end(ended), { onResync });
    this.#timer = setInterval(() => void this.#look(), intervalMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#subscription?.close();
  }

  #end({ user, session }: EndedSessions): void {
    for (const bound of [...(this.#bound.get(user) ?? [])]) {
      if (session === undefined || bound.sessionId === session) bound.end();
    }
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await Promise.all(this.#dueUsers().map(([userId, sockets]) => this.#check(userId, sockets)));
    } finally {
      this.#looking = false;
    }
  }

  /** Takes turns where there are more users than one look takes. */
  #dueUsers(): [userId: string, sockets: readonly SessionBound[]][] {
    const users = [...this.#bound].map(([userId, sockets]): [string, SessionBound[]] => [userId, [...sockets]]);
    if (users.length <= usersPerLook) return users;
    const from = this.#nextUser % users.length;
    this.#nextUser = from + usersPerLook;
    return [...users.slice(from), ...users.slice(0, from)].slice(0, usersPerLook);
  }

  /** `sockets` were there before the list was asked for, so a session that is not on it has ended. */
  async #check(userId: string, sockets: readonly SessionBound[]): Promise<void> {
    const live = await this.#state.sessions.list(userId).catch(() => undefined);
    if (live === undefined) return;
    const ids = new Set(live.map(({ id }) => id));
    for (const socket of sockets) if (!ids.has(socket.sessionId)) socket.end();
  }
}
