import { handOut } from '../backend/memory/memory-store.js';
import type { AwayPlace } from '../backend/resilient/away-place.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import { ServerClock } from '../server-clock.js';
import { AwayRevocations } from './away-revocations.js';
import { type KnownSession, KnownSessions } from './known-sessions.js';
import { mergeFields } from './session-fields.js';
import { knownKey, sessionScope } from './session-keys.js';
import type {
  SessionAddress,
  SessionEnd,
  SessionFieldChanges,
  SessionGlance,
  SessionPort,
  SessionRecord,
  SessionSpace,
} from './session-port.js';

/**
 * Sessions without their store. What it told this process a short while ago may be read, flagged as stale, never beyond
 * the session's own end. Who is revoked is out here at once, and there before anything else is asked of it. Nobody gets in,
 * and nothing is written.
 *
 * What was known before an outage is forgotten when it is over: a session that the store came back without must not be
 * served at the next one.
 */
export class AwaySession implements AwayTwin<SessionPort> {
  readonly answers: AwayTwin<SessionPort>['answers'];
  readonly learns: NonNullable<AwayTwin<SessionPort>['learns']>;
  readonly #place: AwayPlace;
  readonly #serverClock: ServerClock;
  readonly #known = new KnownSessions();
  readonly #revocations: AwayRevocations;

  constructor(store: SessionPort, place: AwayPlace) {
    this.#place = place;
    this.#serverClock = new ServerClock(place.clock);
    this.#revocations = new AwayRevocations(store, place, (done) => {
      if ('id' in done) this.#known.delete(knownKey(done.space, done.id));
      else this.#forgetUser(done.space, done.user, undefined);
    });
    place.onReturn((leftAtMs) => {
      this.#known.clear();
      this.#revocations.sayAgain(leftAtMs);
    });
    this.learns = this.#listeners();
    this.answers = {
      read: (space, address) => this.#read(space, address),
      touch: (space, address) => this.#read(space, address),
      look: (space, address) => this.#look(space, address),
      // What must outlive the store that is away cannot be promised here.
      revoke: (space, address, user, durable) => (durable === true ? undefined : this.#revoke(space, address, user)),
      revokeAll: (space, bucket, user, exceptId, durable) =>
        durable === true ? undefined : this.#revokeAll(space, bucket, user, exceptId),
    };
  }

  holds(space: SessionSpace, where: SessionAddress | string): boolean {
    return this.#revocations.holds(space, typeof where === 'string' ? where : where.bucket);
  }

  #listeners(): NonNullable<AwayTwin<SessionPort>['learns']> {
    const told = (found: unknown, space: SessionSpace, address: SessionAddress): void =>
      this.#told(found, space, address);
    return {
      create: told,
      read: told,
      touch: told,
      look: (found, space, { id }) => void (typeof found === 'string' && this.#known.delete(knownKey(space, id))),
      set: (version, space, address, fields) => this.#written(version, space, address, fields),
      replace: (found, space, address, _, fields) =>
        typeof found === 'object' ? told(found, space, address) : this.#written(found, space, address, fields),
      rotate: (found, space, { bucket, id }, newId) => {
        this.#known.delete(knownKey(space, id));
        told(found, space, { bucket, id: newId });
      },
      take: (_, space, { id }) => this.#known.delete(knownKey(space, id)),
      revoke: (_, space, { bucket, id }, user) => {
        this.#revocations.said({ space, bucket, id, user });
        const goesBy = this.#known.get(knownKey(space, id))?.record.id ?? id;
        for (const one of [id, goesBy]) this.#known.delete(knownKey(space, one));
      },
      revokeAll: (_, space, bucket, user, exceptId) => {
        this.#revocations.said({ space, bucket, user, exceptId });
        this.#forgetUser(space, user, exceptId);
      },
    };
  }

  // An answer that was under way when the session was revoked here says nothing new.
  #told(found: unknown, space: SessionSpace, address: SessionAddress): void {
    const key = knownKey(space, address.id);
    if (!isRecord(found) || this.holds(space, address)) return this.#known.delete(key);
    this.#serverClock.atLeast(found.lastActivityAtMs);
    const heardAtMs = this.#place.clock.monotonic();
    const known = { space: sessionScope(space), record: copyOf(found), heardAtMs, untilMs: heardAtMs + space.staleMs };
    this.#known.set(key, known);
  }

  #written(found: unknown, space: SessionSpace, { id }: SessionAddress, changes: SessionFieldChanges): void {
    const key = knownKey(space, id);
    const before = this.#known.get(key)?.record;
    if (typeof found !== 'number') return void (found === 'ended' && this.#known.delete(key));
    if (before === undefined) return;
    this.#known.amend(key, copyOf({ ...before, version: found, fields: mergeFields(before.fields, changes) }));
  }

  #forgetUser(space: SessionSpace, user: string, exceptId: string | undefined): void {
    for (const [key, { record }] of this.#known.ofUser(sessionScope(space), user)) {
      if (exceptId === undefined || (record.id !== exceptId && key !== knownKey(space, exceptId))) {
        this.#known.delete(key);
      }
    }
  }

  #read(space: SessionSpace, address: SessionAddress): Promise<SessionRecord | SessionEnd> | undefined {
    const found = this.#find(space, address);
    if (found === undefined) return undefined;
    return Promise.resolve(found === 'revoked' ? found : { ...copyOf(found), stale: true });
  }

  #look(space: SessionSpace, address: SessionAddress): Promise<SessionGlance | SessionEnd> | undefined {
    const found = this.#find(space, address);
    if (found === undefined) return undefined;
    return Promise.resolve(found === 'revoked' ? found : { id: found.id, expiresAtMs: expiryOf(space, found) });
  }

  // Undefined for what is not known: a session that ended meanwhile may have been used by another process before that.
  #find(space: SessionSpace, address: SessionAddress): SessionRecord | 'revoked' | undefined {
    const known = this.#known.get(knownKey(space, address.id));
    if (this.#revocations.has(space, address, known?.record)) return 'revoked';
    return known !== undefined && this.#mayServe(space, known) ? known.record : undefined;
  }

  #mayServe(space: SessionSpace, { record, untilMs }: KnownSession): boolean {
    const now = this.#serverClock.now();
    return this.#place.clock.monotonic() <= untilMs && now <= expiryOf(space, record);
  }

  async #revoke(space: SessionSpace, address: SessionAddress, user: string | undefined): Promise<boolean> {
    const { bucket, id } = address;
    const known = this.#known.get(knownKey(space, id))?.record;
    if (known !== undefined && user !== undefined && known.user !== user) return false;
    const wasLive = known !== undefined && !this.#revocations.has(space, address, known);
    this.#revocations.add(space, bucket, { id, user });
    if (known !== undefined && known.id !== id) this.#revocations.add(space, bucket, { id: known.id, user });
    return wasLive;
  }

  async #revokeAll(space: SessionSpace, bucket: string, user: string, exceptId: string | undefined): Promise<number> {
    const live = this.#idsOf(space, bucket, user);
    const goesBy = exceptId === undefined ? undefined : this.#known.get(knownKey(space, exceptId))?.record.id;
    const ids = [exceptId, goesBy].filter((id) => id !== undefined);
    this.#revocations.addAll(space, bucket, user, { exceptId, ids });
    return [...live].filter((id) => !ids.includes(id)).length;
  }

  /** The user's sessions that are known here and not revoked, each once, though two tokens may open it. */
  #idsOf(space: SessionSpace, bucket: string, user: string): Set<string> {
    const records = this.#known.ofUser(sessionScope(space), user).map(([, { record }]) => record);
    return new Set(
      records.filter((record) => !this.#revocations.has(space, { bucket, id: record.id }, record)).map(({ id }) => id),
    );
  }
}

function isRecord(found: unknown): found is SessionRecord {
  return typeof found === 'object' && found !== null && 'fields' in found;
}

function expiryOf({ idleMs }: SessionSpace, { lastActivityAtMs, endsAtMs }: SessionRecord): number {
  return Math.min(lastActivityAtMs + idleMs, endsAtMs);
}

// Bytes may be changed by whom they were handed to.
function copyOf(record: SessionRecord): SessionRecord {
  if (record.fields.every(([, value]) => typeof value === 'string')) return record;
  return { ...record, fields: record.fields.map(([name, value]) => [name, handOut(value)] as const) };
}
