import { isCommonholdError } from '../errors.js';
import type { Log } from '../log.js';
import { decodeDevice, type SessionDevice } from './session-device.js';
import { decodeFields, encodeFields, type FieldRules, sessionTooLarge } from './session-fields.js';
import type { SessionsOptions, TokenReuse } from './session-options.js';
import type {
  SessionEnd,
  SessionFieldChanges,
  SessionRecord,
  SessionReuse,
  SessionSpace,
  SessionUnwritten,
} from './session-port.js';

/** One live session, as it was when read. Times are the server's, in milliseconds since 1970. */
export interface Session<Data extends object> {
  /** Names the session to its user, in a list of devices say. Not the token, and of no use as one. */
  readonly id: string;
  /** Undefined for somebody who has not logged in. */
  readonly user: string | undefined;
  readonly data: Partial<Data>;
  /** What the login said of the device it came from. */
  readonly device: SessionDevice | undefined;
  readonly createdAtMs: number;
  /** When its user last proved who they are; undefined without a user. See `isFresh`. */
  readonly authenticatedAtMs: number | undefined;
  /** When it was last used, as far as that was noted: see the option `idle`. */
  readonly lastActivityAtMs: number;
  /** When it ends if it is not used again. */
  readonly expiresAtMs: number;
  /** 1 for a fresh token; each write adds 1. */
  readonly version: number;
  /**
   * Set where the store is away and this is what it told this process a while ago, see the option `staleFor`: what another
   * process wrote or ended since is not known here.
   */
  readonly stale?: true;
}

/** Fields to write; a value of undefined removes its field. */
export type SessionChanges<Data extends object> = { readonly [Field in keyof Data]?: Data[Field] | undefined };

/**
 * Why there is no session. `idle` and `absolute` are told apart only while the option `remember` says; `absent` is
 * everything unknown, malformed or long over.
 */
export type SessionEndReason = Exclude<SessionEnd, 'corrupt'>;

/** What a token opens. */
export type SessionRead<Data extends object> =
  | { readonly session: Session<Data>; readonly reason?: undefined }
  | { readonly session: undefined; readonly reason: SessionEndReason };

type ReuseListener = SessionsOptions['onReuse'] | undefined;

/** Makes of what is stored what users see, and the other way round. */
export class SessionReader<Data extends object> {
  readonly #space: SessionSpace;
  readonly #rules: FieldRules;
  readonly #log: Log;
  readonly #onReuse: ReuseListener;
  readonly #what: string;

  constructor(space: SessionSpace, rules: FieldRules, log: Log, onReuse: ReuseListener) {
    this.#space = space;
    this.#rules = rules;
    this.#log = log;
    this.#onReuse = onReuse;
    this.#what = `sessions ${space.name}`;
  }

  /**
   * What was found under `id`. What another program or a newer version wrote opens nothing; it is said, not hidden. A
   * promise only where the codec makes one.
   */
  open(id: string, found: SessionRecord | SessionEnd | SessionReuse): SessionRead<Data> | Promise<SessionRead<Data>> {
    if (typeof found === 'string') return this.ended(id, found);
    if ('reused' in found) return this.#reused(found);
    const unreadable = (error: unknown): SessionRead<Data> => {
      if (!isCommonholdError(error)) throw error;
      return this.ended(id, 'corrupt', error.code);
    };
    try {
      const session = this.decode(found);
      return session instanceof Promise ? session.then((session) => ({ session }), unreadable) : { session };
    } catch (error) {
      return unreadable(error);
    }
  }

  /** The session `id` has ended, or cannot be read, which is logged with `code`. */
  ended(id: string, end: SessionEnd, code?: string): SessionRead<Data> {
    if (end !== 'corrupt') return { session: undefined, reason: end };
    const fields = { sessions: this.#space.name, id, ...(code === undefined ? {} : { code }) };
    this.#log.warn(fields, 'an unreadable session counts as absent');
    return { session: undefined, reason: 'absent' };
  }

  /** @throws ValueTooLargeError where that was why nothing was written. */
  unwritten(id: string, why: SessionUnwritten | 'corrupt'): undefined {
    if (why === 'too-large') throw sessionTooLarge(this.#what);
    if (why === 'corrupt') this.ended(id, why);
  }

  /** @throws as {@link encodeFields}. */
  encode(changes: SessionChanges<Data> = {}): SessionFieldChanges {
    return encodeFields(this.#rules, changes, this.#what);
  }

  /** @throws whatever the codec does, for what cannot be read. */
  decode(record: SessionRecord): Session<Data> | Promise<Session<Data>> {
    const data = decodeFields(this.#rules, record.fields, this.#what);
    return data instanceof Promise ? data.then((data) => this.#session(record, data)) : this.#session(record, data);
  }

  #session(record: SessionRecord, data: Record<string, unknown>): Session<Data> {
    const { id, user, createdAtMs, authenticatedAtMs, lastActivityAtMs, version, stale } = record;
    const expiresAtMs = Math.min(lastActivityAtMs + this.#space.idleMs, record.endsAtMs);
    const times = { createdAtMs, authenticatedAtMs, lastActivityAtMs, expiresAtMs };
    const device = decodeDevice(record.device);
    const session = { id, user, data: data as Partial<Data>, device, ...times, version };
    return stale === undefined ? session : { ...session, stale };
  }

  #reused({ reused: id, user }: SessionReuse): SessionRead<Data> {
    const fields = { sessions: this.#space.name, id };
    this.#log.warn(fields, 'a token came back after it was renewed: it may have been stolen');
    void this.#tellReuse({ id, user });
    return { session: undefined, reason: 'revoked' };
  }

  // Not waited for: who reads is answered all the same.
  async #tellReuse(reuse: TokenReuse): Promise<void> {
    try {
      await this.#onReuse?.(reuse);
    } catch (error) {
      this.#log.error({ sessions: this.#space.name, error: String(error) }, 'a listener of token reuse failed');
    }
  }
}

/** A key of another type where a session should be is as unreadable as a damaged session. Throws every other error. */
export function corruptOrThrow(error: unknown): 'corrupt' {
  if (isCommonholdError(error) && error.code === 'CorruptState') return 'corrupt';
  throw error;
}

/** The reply, or that there is something else where a session should be. */
export function orCorrupt<Reply>(reply: Promise<Reply>): Promise<Reply | 'corrupt'> {
  return reply.catch(corruptOrThrow);
}
