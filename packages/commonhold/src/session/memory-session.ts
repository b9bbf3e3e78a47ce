import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import { MemorySessionIndex } from './memory-session-index.js';
import { sessionBase, sessionIndexKey } from './session-keys.js';
import { encodeSessionNews, sessionChannel, type SessionNews } from './session-news.js';
import {
  maxSessionBytes,
  type SessionAddress,
  type SessionEnd,
  type SessionFieldChanges,
  type SessionFields,
  type SessionGlance,
  type SessionHolder,
  type SessionPort,
  type SessionRecord,
  type SessionRefusal,
  type SessionReuse,
  type SessionRotation,
  type SessionSpace,
  type SessionUnwritten,
} from './session-port.js';

/** A session without its id, which is in its key. Replaced as a whole, never changed. */
interface Live extends Omit<SessionRecord, 'id' | 'fields'> {
  readonly fields: ReadonlyMap<string, Stored>;
}

/** What is kept under the old id of a renewed session. */
interface Renewed {
  readonly newId: string;
  readonly graceEndsAtMs: number;
  readonly user: string | undefined;
}

/** What an id leads to, after the renewals whose grace lasts. */
interface Found {
  readonly id: string;
  readonly found: Live | Renewed | SessionEnd;
}

/** Bytes that a session costs besides its texts and fields, and one that has ended in all. */
const liveBytes = 300;
const endBytes = 20;
const renewedBytes = 120;
/** As far as an old id is followed; no session is renewed so often in a grace. */
const mostRenewals = 8;

/** Sessions as one table, of which an ended one keeps the reason, with a table of users beside it. */
export class MemorySession implements SessionPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #sessions: ExpiringTable<Live | Renewed | SessionEnd>;
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
    { user, device }: SessionHolder,
    fields: SessionFields,
  ): Promise<SessionRecord | 'full'> {
    const base = this.#base(space, bucket);
    if (this.#isFull(space, base, user)) return 'full';
    const now = this.#store.now();
    const times = { createdAtMs: now, lastActivityAtMs: now, endsAtMs: now + space.absoluteMs };
    const authenticatedAtMs = user === undefined ? undefined : now;
    const live: Live = { user, device, authenticatedAtMs, ...times, version: 1, fields: new Map(fields) };
    this.#begin(space, base, id, live);
    return recordOf(id, live);
  }

  async read(space: SessionSpace, { bucket, id }: SessionAddress): Promise<SessionRecord | SessionEnd | SessionReuse> {
    return this.#open(space, this.#base(space, bucket), id);
  }

  async touch(space: SessionSpace, address: SessionAddress): Promise<SessionRecord | SessionEnd | SessionReuse> {
    const { bucket, id } = address;
    const base = this.#base(space, bucket);
    const opened = this.#open(space, base, id);
    const found = this.#find(space, base + id);
    if (typeof found === 'string') return opened;
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
    rotation: SessionRotation,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const base = this.#base(space, bucket);
    const found = this.#find(space, base + id);
    if (typeof found === 'string') return found;
    const written = changed(found, fields);
    if (written === undefined) return 'too-large';
    const { user = found.user } = rotation;
    if (user !== found.user && this.#isFull(space, base, user)) return 'full';
    const moved = this.#moved(space, written, rotation);
    this.#unlist(base, id, found);
    try {
      this.#begin(space, base, newId, moved);
    } catch (error) {
      this.#enlist(space, base, id, found);
      throw error;
    }
    if (rotation.renewal) this.#leave(space, base + id, newId, user);
    else this.#bury(base + id, 'revoked', space.tombstoneMs);
    this.#tell(space, rotation.renewal ? { kind: 'renewed', ids: [id, newId] } : { kind: 'revoked', ids: [id] });
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
    const { id: liveId, found } = this.#follow(space, base, id);
    if (!isLive(found) || (user !== undefined && user !== found.user)) return false;
    this.#revoke(space, base, liveId, found);
    return true;
  }

  async revokeAll(space: SessionSpace, bucket: string, user: string, exceptId: string | undefined): Promise<number> {
    const base = this.#base(space, bucket);
    const index = sessionIndexKey(base, user);
    const keptId = exceptId === undefined ? undefined : this.#follow(space, base, exceptId).id;
    const ids = this.#index.ids(index).filter((id) => id !== keptId);
    const held = ids.filter((id) => this.#sessions.has(base + id));
    for (const id of held) this.#bury(base + id, 'revoked', space.tombstoneMs);
    this.#index.remove(index, ids);
    if (held.length > 0) this.#tell(space, { kind: 'revoked', ids: held });
    return held.length;
  }

  async look(space: SessionSpace, { bucket, id }: SessionAddress): Promise<SessionGlance | SessionEnd> {
    const now = this.#follow(space, this.#base(space, bucket), id, true);
    if (isRenewed(now.found)) return 'revoked';
    return isLive(now.found) ? { id: now.id, expiresAtMs: expiryOf(space, now.found) } : now.found;
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

  // To whoever asks by another way than reading, a renewed session's old id is a revoked one.
  #find(space: SessionSpace, key: string): Live | SessionEnd {
    const found = this.#look(space, key);
    return isRenewed(found) ? 'revoked' : found;
  }

  #look(space: SessionSpace, key: string): Live | Renewed | SessionEnd {
    const found = this.#sessions.get(key) ?? 'absent';
    if (!isLive(found) || this.#store.now() <= expiryOf(space, found)) return found;
    return found.endsAtMs <= found.lastActivityAtMs + space.idleMs ? 'absolute' : 'idle';
  }

  #follow(space: SessionSpace, base: string, oldId: string, late: boolean = false): Found {
    let id = oldId;
    let found = this.#look(space, base + id);
    for (let step = 0; step < mostRenewals && isRenewed(found); step++) {
      if (!late && this.#store.now() > found.graceEndsAtMs) break;
      id = found.newId;
      found = this.#look(space, base + id);
    }
    return { id, found };
  }

  // Of a session that is found expired only the reason is kept, and of an old id that is used too late, nothing more.
  #open(space: SessionSpace, base: string, oldId: string): SessionRecord | SessionEnd | SessionReuse {
    const { id, found } = this.#follow(space, base, oldId);
    const key = base + id;
    if (isRenewed(found)) {
      this.#bury(key, 'revoked', (this.#sessions.expiresAtMs(key) ?? 0) - this.#store.now());
      return { reused: found.newId, user: found.user };
    }
    if (isLive(found)) return recordOf(id, found);
    const held = this.#sessions.get(key);
    if (held === undefined || !isLive(held)) return found;
    this.#bury(key, found, expiryOf(space, held) + space.rememberMs - this.#store.now());
    this.#tell(space, { kind: found as SessionNews['kind'], ids: [id] });
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

  #isFull(space: SessionSpace, base: string, user: string | undefined): boolean {
    if (space.whenFull !== 'refuse' || space.maxPerUser === 0 || user === undefined) return false;
    return this.#index.ids(sessionIndexKey(base, user)).length >= space.maxPerUser;
  }

  // Ends the least recently used sessions where the user would have more than allowed.
  #evict(space: SessionSpace, base: string, index: string): void {
    const ids = this.#index.ids(index);
    const over = space.maxPerUser > 0 ? ids.slice(0, Math.max(0, ids.length + 1 - space.maxPerUser)) : [];
    for (const id of over) this.#bury(base + id, 'revoked', space.tombstoneMs);
    this.#index.remove(index, over);
    if (over.length > 0) this.#tell(space, { kind: 'revoked', ids: over });
  }

  #moved(space: SessionSpace, live: Live, { user, device }: SessionRotation): Live {
    const now = this.#store.now();
    const moved = { ...live, device: device ?? live.device, lastActivityAtMs: now, version: 1 };
    if (user === undefined) return moved;
    const proven = { ...moved, authenticatedAtMs: now };
    if (user === live.user) return proven;
    return { ...proven, user, device, createdAtMs: now, endsAtMs: now + space.absoluteMs };
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
    this.#tell(space, { kind: 'revoked', ids: [id] });
  }

  #put(space: SessionSpace, key: string, live: Live): void {
    const texts = 2 * (live.user?.length ?? 0) + (live.device?.length ?? 0);
    const bytes = liveBytes + texts + bytesOf(live.fields);
    this.#sessions.set(key, live, bytes, expiryOf(space, live) + space.rememberMs);
  }

  #bury(key: string, reason: SessionEnd, keepMs: number): void {
    if (keepMs > 0) this.#sessions.set(key, reason, endBytes, this.#store.now() + keepMs);
    else this.#sessions.delete(key);
  }

  // The session lives on under the new id. Without grace its old one is a revoked one at once.
  #leave({ graceMs, tombstoneMs }: SessionSpace, key: string, newId: string, user: string | undefined): void {
    if (graceMs === 0) return this.#bury(key, 'revoked', tombstoneMs);
    const now = this.#store.now();
    const left = { newId, graceEndsAtMs: now + graceMs, user };
    this.#sessions.set(key, left, renewedBytes, now + Math.max(tombstoneMs, graceMs));
  }

  #tell(space: SessionSpace, news: SessionNews): void {
    this.#store.bus.publish(sessionChannel(this.#keys, space), encodeSessionNews(news));
  }

  #enlist(space: SessionSpace, base: string, id: string, live: Live): void {
    if (live.user === undefined) return;
    this.#index.add(sessionIndexKey(base, live.user), id, expiryOf(space, live), live.endsAtMs);
  }

  #unlist(base: string, id: string, live: Live): void {
    if (live.user !== undefined) this.#index.remove(sessionIndexKey(base, live.user), [id]);
  }
}

function isLive(found: Live | Renewed | SessionEnd): found is Live {
  return typeof found === 'object' && 'fields' in found;
}

function isRenewed(found: Live | Renewed | SessionEnd): found is Renewed {
  return typeof found === 'object' && 'newId' in found;
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
