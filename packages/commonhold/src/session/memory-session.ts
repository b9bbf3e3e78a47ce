import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import { MemorySessionIndex } from './memory-session-index.js';
import { sessionBase, sessionIndexKey } from './session-keys.js';
import {
  maxSessionBytes,
  type SessionAddress,
  type SessionEnd,
  type SessionFieldChanges,
  type SessionFields,
  type SessionPort,
  type SessionRecord,
  type SessionRefusal,
  type SessionSpace,
  type SessionUnwritten,
} from './session-port.js';

/** A session without its id, which is in its key. Replaced as a whole, never changed. */
interface Live extends Omit<SessionRecord, 'id' | 'fields'> {
  readonly fields: ReadonlyMap<string, Stored>;
}

/** Bytes that a session costs besides its user and fields, and one that has ended in all. */
const liveBytes = 300;
const endBytes = 20;

/** Sessions as one table, of which an ended one keeps the reason, with a table of users beside it. */
export class MemorySession implements SessionPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #sessions: ExpiringTable<Live | SessionEnd>;
  readonly #index: MemorySessionIndex;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#sessions = store.table('session');
    this.#index = new MemorySessionIndex(store);
  }

  async create(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    user: string | undefined,
    fields: SessionFields,
  ): Promise<SessionRecord> {
    const now = this.#store.now();
    const times = { createdAtMs: now, lastActivityAtMs: now, endsAtMs: now + space.absoluteMs };
    const live: Live = { user, ...times, version: 1, fields: new Map(fields) };
    this.#begin(space, this.#base(space, bucket), id, live);
    return recordOf(id, live);
  }

  async read(space: SessionSpace, { bucket, id }: SessionAddress): Promise<SessionRecord | SessionEnd> {
    const found = this.#read(space, this.#base(space, bucket) + id);
    return typeof found === 'string' ? found : recordOf(id, found);
  }

  async touch(space: SessionSpace, { bucket, id }: SessionAddress): Promise<SessionRecord | SessionEnd> {
    const base = this.#base(space, bucket);
    const found = this.#read(space, base + id);
    if (typeof found === 'string') return found;
    const touched = { ...found, lastActivityAtMs: this.#store.now() };
    this.#put(space, base + id, touched);
    this.#enlist(space, base, id, touched);
    return recordOf(id, touched);
  }

  async set(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    fields: SessionFieldChanges,
  ): Promise<number | SessionUnwritten> {
    const key = this.#base(space, bucket) + id;
    const found = this.#find(space, key);
    return typeof found === 'string' ? 'ended' : this.#write(space, key, found, fields);
  }

  async replace(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    version: number,
    fields: SessionFieldChanges,
  ): Promise<number | SessionRecord | SessionUnwritten> {
    const key = this.#base(space, bucket) + id;
    const found = this.#find(space, key);
    if (typeof found === 'string') return 'ended';
    return found.version === version ? this.#write(space, key, found, fields) : recordOf(id, found);
  }

  async rotate(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    newId: string,
    user: string | undefined,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const base = this.#base(space, bucket);
    const found = this.#find(space, base + id);
    if (typeof found === 'string') return found;
    const written = changed(found, fields);
    if (written === undefined) return 'too-large';
    const moved = this.#moved(space, written, user ?? found.user);
    this.#unlist(base, id, found);
    try {
      this.#begin(space, base, newId, moved);
    } catch (error) {
      this.#enlist(space, base, id, found);
      throw error;
    }
    this.#bury(base + id, 'revoked', space.tombstoneMs);
    return recordOf(newId, moved);
  }

  async take(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const base = this.#base(space, bucket);
    const found = this.#find(space, base + id);
    if (typeof found === 'string') return found;
    if (fields.length > 0 && changed(found, fields) === undefined) return 'too-large';
    this.#revoke(space, base, id, found);
    return recordOf(id, found);
  }

  async revoke(space: SessionSpace, { bucket, id }: SessionAddress, user: string | undefined): Promise<boolean> {
    const base = this.#base(space, bucket);
    const found = this.#find(space, base + id);
    if (typeof found === 'string' || (user !== undefined && user !== found.user)) return false;
    this.#revoke(space, base, id, found);
    return true;
  }

  async revokeAll(space: SessionSpace, bucket: string, user: string, exceptId: string | undefined): Promise<number> {
    const base = this.#base(space, bucket);
    const index = sessionIndexKey(base, user);
    const ids = this.#index.ids(index).filter((id) => id !== exceptId);
    const held = ids.filter((id) => this.#sessions.has(base + id));
    for (const id of held) this.#bury(base + id, 'revoked', space.tombstoneMs);
    this.#index.remove(index, ids);
    return held.length;
  }

  async list(space: SessionSpace, bucket: string, user: string): Promise<SessionRecord[]> {
    const base = this.#base(space, bucket);
    const records: SessionRecord[] = [];
    for (const id of this.#index.ids(sessionIndexKey(base, user))) {
      const found = this.#find(space, base + id);
      if (typeof found !== 'string') records.push(recordOf(id, found));
    }
    return records;
  }

  #base(space: SessionSpace, bucket: string): string {
    return sessionBase(this.#keys, space, bucket);
  }

  #find(space: SessionSpace, key: string): Live | SessionEnd {
    const found = this.#sessions.get(key) ?? 'absent';
    if (typeof found === 'string' || this.#store.now() <= expiryOf(space, found)) return found;
    return found.endsAtMs <= found.lastActivityAtMs + space.idleMs ? 'absolute' : 'idle';
  }

  // Of a session that is found expired only the reason is kept.
  #read(space: SessionSpace, key: string): Live | SessionEnd {
    const held = this.#sessions.get(key);
    const found = this.#find(space, key);
    if (held === undefined || typeof held === 'string' || typeof found !== 'string') return found;
    this.#bury(key, found, expiryOf(space, held) + space.rememberMs - this.#store.now());
    return this.#sessions.has(key) ? found : 'absent';
  }

  #begin(space: SessionSpace, base: string, id: string, live: Live): void {
    this.#put(space, base + id, live);
    if (live.user === undefined) return;
    try {
      this.#evict(space, base, sessionIndexKey(base, live.user));
      this.#enlist(space, base, id, live);
    } catch (error) {
      this.#sessions.delete(base + id);
      throw error;
    }
  }

  // Ends the least recently used sessions where the user would have more than allowed.
  #evict(space: SessionSpace, base: string, index: string): void {
    const ids = this.#index.ids(index);
    const over = space.maxPerUser > 0 ? ids.slice(0, Math.max(0, ids.length + 1 - space.maxPerUser)) : [];
    for (const id of over) this.#bury(base + id, 'revoked', space.tombstoneMs);
    this.#index.remove(index, over);
  }

  #moved(space: SessionSpace, live: Live, user: string | undefined): Live {
    const now = this.#store.now();
    const isLogin = user !== live.user;
    const times = isLogin ? { createdAtMs: now, endsAtMs: now + space.absoluteMs } : {};
    return { ...live, ...times, user, lastActivityAtMs: now, version: 1 };
  }

  #write(space: SessionSpace, key: string, live: Live, fields: SessionFieldChanges): number | SessionUnwritten {
    const written = changed(live, fields);
    if (written === undefined) return 'too-large';
    this.#put(space, key, written);
    return written.version;
  }

  #revoke(space: SessionSpace, base: string, id: string, live: Live): void {
    this.#bury(base + id, 'revoked', space.tombstoneMs);
    this.#unlist(base, id, live);
  }

  #put(space: SessionSpace, key: string, live: Live): void {
    const bytes = liveBytes + 2 * (live.user?.length ?? 0) + bytesOf(live.fields);
    this.#sessions.set(key, live, bytes, expiryOf(space, live) + space.rememberMs);
  }

  #bury(key: string, reason: SessionEnd, keepMs: number): void {
    if (keepMs > 0) this.#sessions.set(key, reason, endBytes, this.#store.now() + keepMs);
    else this.#sessions.delete(key);
  }

  #enlist(space: SessionSpace, base: string, id: string, live: Live): void {
    if (live.user === undefined) return;
    this.#index.add(sessionIndexKey(base, live.user), id, expiryOf(space, live), live.endsAtMs);
  }

  #unlist(base: string, id: string, live: Live): void {
    if (live.user !== undefined) this.#index.remove(sessionIndexKey(base, live.user), [id]);
  }
}

function expiryOf(space: SessionSpace, live: Live): number {
  return Math.min(live.lastActivityAtMs + space.idleMs, live.endsAtMs);
}

// The session with the fields written and the next version; undefined where they would exceed the bound.
function changed(live: Live, changes: SessionFieldChanges): Live | undefined {
  const fields = new Map(live.fields);
  for (const [name, value] of changes) {
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  return bytesOf(fields) > maxSessionBytes ? undefined : { ...live, fields, version: live.version + 1 };
}

function bytesOf(fields: ReadonlyMap<string, Stored>): number {
  let bytes = 0;
  for (const [name, value] of fields) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}

// What leaves the store is a copy.
function recordOf(id: string, { fields, ...times }: Live): SessionRecord {
  return { id, ...times, fields: Array.from(fields, ([name, value]) => [name, handOut(value)] as const) };
}
