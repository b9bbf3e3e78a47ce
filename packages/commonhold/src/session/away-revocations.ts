import type { AwayPlace } from '../backend/resilient/away-place.js';
import { inTurns } from '../backend/resilient/in-turns.js';
import { type JournalPart, mayPass } from '../backend/resilient/journal-part.js';
import type { Clock } from '../clock.js';
import { OverloadedError } from '../errors.js';
import { bucketKey } from './session-keys.js';
import type { SessionAddress, SessionPort, SessionRecord, SessionSpace } from './session-port.js';

/** A session that is to be revoked, where it is of `user`, if one is given. */
interface Revocation {
  readonly id: string;
  readonly user: string | undefined;
}

/** Which sessions of a user stay. */
interface Kept {
  readonly exceptId: string | undefined;
  /** All ids by which that one is known here. */
  readonly ids: readonly string[];
}

/** What is to be revoked in one bucket. */
interface Waiting {
  readonly space: SessionSpace;
  readonly bucket: string;
  readonly sessions: Map<string, Revocation>;
  readonly users: Map<string, Kept>;
}

/** A revocation that the store has acknowledged. */
export type Said = { readonly space: SessionSpace; readonly bucket: string } & (
  | Revocation
  | { readonly user: string; readonly exceptId: string | undefined }
);

const revocationBytes = 200;
/** More than a log that is synced once a second, or a replica that is promoted, lacks of what was acknowledged. */
const saidForMs = 10_000;
const mostSaid = 1_000;
const nobody: Kept = { exceptId: undefined, ids: [] };

/**
 * Revocations that wait for the store, and those of the last seconds, which are said again after a break: a store that comes
 * back without its last writes must not let in who was out. A bucket that has some is held: nothing else is asked of it until the store has
 * them all, not even behind them, since a script that the store has lost is sent twice and a read may overtake it.
 */
export class AwayRevocations {
  readonly #store: SessionPort;
  readonly #waiting: JournalPart<Waiting>;
  readonly #journal: AwayPlace['journal'];
  readonly #clock: Clock;
  /** The latest first said last. */
  #said: { readonly atMs: number; readonly said: Said }[] = [];
  readonly #onDone: (done: Said) => void;

  /** @param onDone is told what waits no more. */
  constructor(
    store: SessionPort,
    { journal, clock }: Pick<AwayPlace, 'journal' | 'clock'>,
    onDone: (done: Said) => void,
  ) {
    this.#store = store;
    this.#journal = journal;
    this.#clock = clock;
    this.#onDone = onDone;
    this.#waiting = journal.part<Waiting>({
      first: true,
      replay: (_, waiting) => this.#replay(waiting),
      subject: (_, { space }) => ({ feature: 'sessions', name: space.name }),
    });
  }

  holds(space: SessionSpace, bucket: string): boolean {
    return this.#of(space, bucket) !== undefined;
  }

  /** Whether the session was revoked here, as far as `known` of it tells. */
  has(space: SessionSpace, { bucket, id }: SessionAddress, known: SessionRecord | undefined): boolean {
    const waiting = this.#of(space, bucket);
    if (waiting === undefined) return false;
    const ids = known === undefined ? [id] : [id, known.id];
    if (ids.some((one) => waiting.sessions.has(nameOf(one, undefined)))) return true;
    if (known?.user === undefined) return false;
    if (ids.some((one) => waiting.sessions.has(nameOf(one, known.user)))) return true;
    const kept = waiting.users.get(known.user);
    return kept !== undefined && !ids.some((one) => kept.ids.includes(one));
  }

  /** @throws OverloadedError when the journal is full. */
  add(space: SessionSpace, bucket: string, revocation: Revocation): void {
    const { id, user } = revocation;
    if (this.#of(space, bucket)?.sessions.has(nameOf(id, user)) === true) return;
    this.#enter(space, bucket, id.length + (user ?? '').length).sessions.set(nameOf(id, user), revocation);
  }

  /** @throws OverloadedError when the journal is full. */
  addAll(space: SessionSpace, bucket: string, user: string, kept: Kept): void {
    const users = this.#of(space, bucket)?.users;
    const before = users?.get(user);
    if (before === undefined) this.#enter(space, bucket, user.length).users.set(user, kept);
    // Who was to stay the first time does not the second, and the other way round.
    else users?.set(user, before.exceptId === kept.exceptId ? kept : nobody);
  }

  /** The store has it. */
  said(said: Said): void {
    const atMs = this.#clock.monotonic();
    const first = this.#said.findIndex((one) => one.atMs > atMs - saidForMs);
    this.#said.splice(0, Math.max(first < 0 ? this.#said.length : first, this.#said.length + 1 - mostSaid));
    this.#said.push({ atMs, said });
  }

  /** The store may have lost what it had in the last seconds before `leftAtMs`. Where the journal is full, what is there goes before. */
  sayAgain(leftAtMs: number): void {
    const all = this.#said.splice(0).filter(({ atMs }) => atMs > leftAtMs - saidForMs);
    try {
      for (const { said } of all) this.#addAgain(said);
    } catch (error) {
      if (!(error instanceof OverloadedError)) throw error;
    }
  }

  #addAgain(said: Said): void {
    const { space, bucket } = said;
    if ('id' in said) this.add(space, bucket, said);
    else
      this.addAll(space, bucket, said.user, {
        exceptId: said.exceptId,
        ids: said.exceptId === undefined ? [] : [said.exceptId],
      });
  }

  #of(space: SessionSpace, bucket: string): Waiting | undefined {
    return this.#waiting.size === 0 ? undefined : this.#waiting.get(bucketKey(space, bucket));
  }

  #enter(space: SessionSpace, bucket: string, textLength: number): Waiting {
    const begin = (): Waiting => ({ space, bucket, sessions: new Map(), users: new Map() });
    return this.#waiting.enter(bucketKey(space, bucket), revocationBytes + 2 * textLength, begin);
  }

  // With a prefix everybody's are one entry: each is forgotten as soon as it is there, and holds up no other.
  async #replay({ space, bucket, sessions, users }: Waiting): Promise<boolean> {
    const store = this.#store;
    await inTurns([
      ...[...sessions].map(([name, revocation]) => async () => {
        const { id, user } = revocation;
        await this.#settle({ space, bucket, ...revocation }, store.revoke(space, { bucket, id }, user));
        if (sessions.get(name) === revocation) sessions.delete(name);
      }),
      ...[...users].map(([user, kept]) => async () => {
        const { exceptId } = kept;
        await this.#settle({ space, bucket, user, exceptId }, store.revokeAll(space, bucket, user, exceptId));
        if (users.get(user) === kept) users.delete(user);
      }),
    ]);
    return sessions.size === 0 && users.size === 0;
  }

  async #settle(said: Said, answer: Promise<unknown>): Promise<void> {
    try {
      await answer;
      this.said(said);
    } catch (error) {
      if (mayPass(error)) throw error;
      const key = 'id' in said ? said.id : said.user;
      this.#journal.conflict({ feature: 'sessions', name: said.space.name, key, why: String(error) });
    }
    this.#onDone(said);
  }
}

function nameOf(id: string, user: string | undefined): string {
  return `${id} ${user ?? ''}`;
}
