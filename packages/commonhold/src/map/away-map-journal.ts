import { createHash } from 'node:crypto';
import type { AwayPlace } from '../backend/resilient/away-place.js';
import { type JournalPart, mayPass } from '../backend/resilient/journal-part.js';
import { storedBytes } from '../backend/memory/memory-store.js';
import { sameBytes, type Stored } from '../codec/stored.js';
import { isCommonholdError } from '../errors.js';
import type { AwayMapReads, KnownRecord } from './away-map-reads.js';
import { type MapEntryPort, type MapRecord, type MapReplacement, type MapSpace, needsVersion } from './map-port.js';
import { WriteOrder } from './write-order.js';

/** What an entry is to be. */
export interface Wanted {
  /** Undefined for none. */
  readonly value: Stored | undefined;
  /** By the monotonic clock of this process. */
  readonly endsAtMs: number;
}

/** How a write came to be: whatever is there, from what was there, or only by a new lifetime. */
export type WriteKind = 'set' | 'update' | 'touch';

/** A key that was written. */
interface WaitingEntry {
  readonly space: MapSpace;
  readonly key: string;
  /** What this process knew before its first write; undefined where it knew nothing. */
  base: KnownRecord | undefined;
  /** Of the last write, by the order in which they were sent. */
  number: number;
  /** Writes up to this one may have been on their way when this began. */
  readonly since: number;
  wanted: Wanted;
  kind: WriteKind;
  /** Whether a write since the base removed it, or ended. */
  removedHere: boolean;
  /** Whether the store took an earlier write since this began: that is what it goes on from. */
  followsTaken: boolean;
  /** What was sent and may be there. */
  sent: Wanted | undefined;
  /** Digests of the values that may be there, of the documented layout, which does not say who wrote them. */
  readonly sentValues: string[];
  /** Settles when it is there, or not. */
  sending: Promise<unknown> | undefined;
}

const mostSentValues = 8;
/** What an entry takes besides its key and values: the most that was measured. */
const entryBytes = 256;
/** More than that, with what the journal takes for a key. */
const mostEntryBytes = 544;

/**
 * Writes to maps that wait for the store: per key the last version wanted, and what it was made from. Brought there by comparing:
 * what another process changed meanwhile stays, and ours is told as a conflict.
 */
export class AwayMapJournal {
  readonly order: WriteOrder = new WriteOrder();
  readonly #store: MapEntryPort;
  readonly #place: AwayPlace;
  readonly #reads: AwayMapReads;
  readonly #waiting: JournalPart<WaitingEntry>;
  /** Entries by map. */
  readonly #byMap = new Map<string, Set<string>>();
  constructor(store: MapEntryPort, place: AwayPlace, reads: AwayMapReads) {
    this.#store = store;
    this.#place = place;
    this.#reads = reads;
    this.#waiting = place.journal.part<WaitingEntry>({
      replay: (id, entry) => this.#replay(id, entry),
      subject: (_, entry) => subjectOf(entry),
    });
  }

  get empty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Whether one of the keys waits, or is on its way: it is then served from here. */
  holds(space: MapSpace, keys: readonly string[]): boolean {
    return !this.empty && keys.some((key) => this.#waiting.get(this.#reads.id(space, key)) !== undefined);
  }

  /** Whether any key of the map waits. */
  holdsAnyOf({ name }: MapSpace): boolean {
    return this.#byMap.has(name);
  }

  /** Resolves when none of the keys is on its way any more. */
  async settled(space: MapSpace, keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#waiting.get(this.#reads.id(space, key))?.sending;
  }

  /** Says that the store took a write: what was noted of an earlier one of the same key would undo it. */
  overtaken(space: MapSpace, keys: readonly string[], number: number): void {
    if (this.empty) return;
    for (const id of keys.map((key) => this.#reads.id(space, key))) {
      const entry = this.#waiting.get(id);
      if (entry === undefined) continue;
      // An update was made from what was there before any write that was on its way.
      if (entry.number < number || entry.kind === 'update') this.#drop(id, entry);
      else entry.followsTaken = true;
    }
  }

  /** Says that the store gave `key` a lifetime anew: what was noted of an earlier write has it too. */
  retimed(space: MapSpace, key: string, number: number, endsAtMs: number): void {
    const entry = this.#waiting.get(this.#reads.id(space, key));
    if (entry === undefined || entry.number > number || entry.wanted.value === undefined) return;
    entry.wanted = { ...entry.wanted, endsAtMs };
  }

  /** What is known of `key`, with what waits; undefined for what is not. */
  current(space: MapSpace, key: string): KnownRecord | undefined {
    const entry = this.#waiting.get(this.#reads.id(space, key));
    if (entry === undefined) return this.#reads.confirmed(space, key);
    const { value, endsAtMs } = entry.wanted;
    if (value === undefined || endsAtMs < this.#place.clock.monotonic())
      return { record: undefined, endsAtMs: Infinity };
    const owner = entry.kind === 'touch' ? entry.base?.record?.owner : this.#ownerIn(space);
    return { record: { value, version: undefined, owner, expiresAtMs: undefined }, endsAtMs };
  }

  /** Sees to it that all can be noted, or none. @throws OverloadedError */
  reserve(space: MapSpace, entries: readonly (readonly [key: string, value?: Stored])[]): void {
    const { journal } = this.#place;
    const costs = entries.map(([key, value]) => {
      const base = this.#reads.known(space, key)?.record?.value;
      return bytesOf(value) + bytesOf(base) + this.#reads.id(space, key).length + mostEntryBytes;
    });
    const bytes = costs.reduce((sum, cost) => sum + cost, 0);
    journal.charge(bytes);
    journal.free(bytes);
  }

  /** Notes what `key` is to be. @throws OverloadedError */
  note(space: MapSpace, key: string, wanted: Wanted, kind: WriteKind, number: number): void {
    const id = this.#reads.id(space, key);
    const held = this.#waiting.get(id);
    if (held !== undefined && held.number > number) return;
    const base = held === undefined ? this.#reads.known(space, key) : held.base;
    const more = held === undefined ? entryBytes + bytesOf(base?.record?.value) : -bytesOf(held.wanted.value);
    const entry = this.#waiting.enter(id, bytesOf(wanted.value) + more, () => ({
      space,
      key,
      base,
      number,
      since: this.order.last,
      wanted,
      kind,
      removedHere: false,
      followsTaken: false,
      sent: undefined,
      sentValues: [],
      sending: undefined,
    }));
    if (held === undefined) this.#rememberOf(space, id);
    // What it was until now may have been there, and have ended.
    entry.removedHere ||= wanted.value === undefined || this.#leftMs(entry) === 0;
    entry.wanted = wanted;
    entry.number = number;
    // What follows a set is made from that.
    if (kind !== 'touch' && entry.kind !== 'set') entry.kind = kind;
    // It may have been sent just now.
    if (held === undefined && kind === 'set') this.#maySend(entry, wanted.value);
  }

  #rememberOf({ name }: MapSpace, id: string): void {
    const ids = this.#byMap.get(name) ?? new Set<string>();
    this.#byMap.set(name, ids.add(id));
  }

  #maySend({ space, sentValues }: WaitingEntry, value: Stored | undefined): void {
    if (space.prefix === undefined || value === undefined) return;
    const digest = digestOf(value);
    if (sentValues.includes(digest)) return;
    sentValues.push(digest);
    if (sentValues.length > mostSentValues) sentValues.shift();
  }

  async #replay(id: string, entry: WaitingEntry): Promise<boolean> {
    // What is still on its way to the same key may come after this, and may have been sent after it.
    if (this.order.isUnderWay(entry.since)) return false;
    // Who waits for this must find it gone, or here for good.
    const work = this.#bring(id, entry);
    entry.sending = work.catch(() => undefined);
    await work;
    return this.#waiting.get(id) === undefined;
  }

  async #bring(id: string, entry: WaitingEntry): Promise<void> {
    const { space, key, wanted } = entry;
    if (entry.followsTaken) entry.base = this.#reads.known(space, key);
    entry.followsTaken = false;
    try {
      const why = entry.kind === 'touch' ? await this.#touch(entry) : await this.#write(entry);
      // What was noted just now goes on from what is there now.
      if (why === undefined && entry.wanted !== wanted) entry.base = this.#reads.known(space, key);
      else this.#drop(id, entry);
      if (why !== undefined) this.#place.journal.conflict({ ...subjectOf(entry), why });
    } catch (error) {
      if (mayPass(error)) throw error;
      this.#drop(id, entry);
      this.#place.journal.conflict({ ...subjectOf(entry), why: String(error) });
    } finally {
      entry.sending = undefined;
    }
  }

  #drop(id: string, { space: { name } }: WaitingEntry): void {
    this.#waiting.drop(id);
    const ids = this.#byMap.get(name);
    ids?.delete(id);
    if (ids?.size === 0) this.#byMap.delete(name);
  }

  async #touch(entry: WaitingEntry): Promise<undefined> {
    const { space, key, wanted } = entry;
    // The lifetime it would have given has passed, and others may have given it a longer one.
    if (this.#leftMs(entry) === 0) {
      this.#reads.forget(space, key);
      return undefined;
    }
    const ttlMs = this.#leftOf(wanted);
    this.#reads.touched(space, key, await this.#store.touch(space, key, ttlMs), ttlMs);
    return undefined;
  }

  /** Resolves to why it was not written, where that must be told. */
  async #write(entry: WaitingEntry): Promise<string | undefined> {
    const { space, key, wanted } = entry;
    // What has ended meanwhile is not written, and neither is what it replaced left behind.
    const ended = this.#leftMs(entry) === 0;
    const value = ended ? undefined : wanted.value;
    const ttlMs = this.#leftOf(wanted);
    const owner = this.#place.owner;
    const replace = (expected: MapRecord | undefined): Promise<MapReplacement> =>
      this.#send(entry, wanted, () => this.#store.replace(space, owner, key, expected, value, ttlMs));
    const base = entry.base?.record;
    let reply = needsVersion(space, base)
      ? { written: false as const, found: await this.#store.get(space, key) }
      : await replace(base);
    while (!reply.written) {
      const { found } = reply;
      if (this.#isThere(entry, wanted, value, found)) {
        this.#reads.learn(space, key, found);
        return undefined;
      }
      if (!this.#fits(entry, found)) return this.#givenUp(entry, found, ended);
      reply = await replace(found);
    }
    if (value === undefined) this.#reads.learn(space, key, undefined);
    else this.#reads.wrote(space, key, { value, owner, version: reply.version }, ttlMs);
    return undefined;
  }

  #isThere(entry: WaitingEntry, wanted: Wanted, value: Stored | undefined, found: MapRecord | undefined): boolean {
    if (!sameBytes(found?.value, value)) return false;
    return value === undefined || (entry.sent === wanted && this.#isOurs(entry, found));
  }

  async #send<Reply>(entry: WaitingEntry, wanted: Wanted, ask: () => Promise<Reply>): Promise<Reply> {
    try {
      this.#maySend(entry, wanted.value);
      return await ask();
    } catch (error) {
      if (isCommonholdError(error) && error.code === 'OutcomeUnknown') entry.sent = wanted;
      throw error;
    }
  }

  #givenUp({ space, key }: WaitingEntry, found: MapRecord | undefined, ended: boolean): string | undefined {
    this.#reads.learn(space, key, found);
    if (ended) return undefined;
    return found === undefined ? 'it was removed meanwhile' : 'it was changed meanwhile';
  }

  /** Whether what is there may be replaced: what was known, or what this process wrote itself since. */
  #fits(entry: WaitingEntry, found: MapRecord | undefined): boolean {
    const { base } = entry;
    if (found === undefined) {
      return entry.removedHere || base?.record === undefined || base.endsAtMs < this.#place.clock.monotonic();
    }
    return this.#isOurs(entry, found) || isKnown(entry.space, base?.record, found);
  }

  #isOurs({ space, sentValues }: WaitingEntry, found: MapRecord | undefined): boolean {
    if (found === undefined) return false;
    return space.prefix === undefined ? found.owner === this.#place.owner : sentValues.includes(digestOf(found.value));
  }

  #ownerIn({ prefix }: MapSpace): string | undefined {
    return prefix === undefined ? this.#place.owner : undefined;
  }

  /** How long the wanted value has still to live: 0 when it has ended, undefined without end. */
  #leftMs({ wanted }: WaitingEntry): number | undefined {
    return wanted.endsAtMs < this.#place.clock.monotonic() ? 0 : this.#leftOf(wanted);
  }

  #leftOf({ endsAtMs }: Wanted): number | undefined {
    if (endsAtMs === Infinity) return undefined;
    return Math.max(1, Math.ceil(endsAtMs - this.#place.clock.monotonic()));
  }
}

function isKnown({ prefix }: MapSpace, base: MapRecord | undefined, found: MapRecord): boolean {
  if (base === undefined) return false;
  if (prefix === undefined && base.version !== undefined) return base.version === found.version;
  return base.owner === found.owner && sameBytes(base.value, found.value);
}

function subjectOf({ space, key, wanted }: WaitingEntry): {
  feature: string;
  name: string;
  key: string;
  ours?: Stored;
} {
  const subject = { feature: 'map', name: space.name, key };
  return wanted.value === undefined ? subject : { ...subject, ours: wanted.value };
}

function bytesOf(value: Stored | undefined): number {
  return value === undefined ? 0 : storedBytes(value);
}

function digestOf(value: Stored): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, 16);
}
