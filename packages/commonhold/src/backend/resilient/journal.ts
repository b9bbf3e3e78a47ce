import { isCommonholdError, OverloadedError } from '../../errors.js';
import type { JournalConflict, JournalSize, JournalSubject } from '../backend.js';
import type { Unsubscribe } from '../bus.js';

/** Bound on what waits for the store, unless told otherwise (DECISIONS K9). */
export const journalBytes: number = 8 * 1024 * 1024;
/** What a key takes besides its text and its entry: the most that was measured. */
const keyBytes = 256;
/** Entries that are brought to the store at once. */
const atOnce = 64;

/** How entries of one kind are brought to the store. */
export interface JournalKind<Entry> {
  /** Revocations go before anything else. */
  readonly first?: boolean;
  /**
   * Brings what the entry holds to the store. What was written to it meanwhile stays: resolves to whether nothing is left.
   * May be tried again after it rejected, also with `OutcomeUnknown`.
   */
  replay(key: string, entry: Entry): Promise<boolean>;
  /** What is told where the store refuses an entry for good. */
  subject(key: string, entry: Entry): JournalSubject;
}

/**
 * What was written while the store was away: state per key and no log, so that an hour of it takes no more than the keys that
 * were written. Bounded in bytes; a write beyond is refused.
 */
export class Journal {
  readonly #maxBytes: number;
  readonly #nextId: () => string;
  readonly #parts: JournalPart<never>[] = [];
  readonly #entered = new Set<() => void>();
  readonly #conflicts = new Set<(conflict: JournalConflict) => void>();
  #bytes = 0;
  #replaying: Promise<boolean> | undefined;

  /** @param operationPrefix begins the ids of what is replayed: of this process alone. */
  constructor(operationPrefix: string, maxBytes: number = journalBytes) {
    this.#maxBytes = maxBytes;
    let number = 0;
    this.#nextId = () => `${operationPrefix}:${(number += 1)}`;
  }

  get size(): JournalSize {
    const entries = this.#parts.reduce((sum, part) => sum + part.size, 0);
    return { entries, bytes: this.#bytes, maxBytes: this.#maxBytes };
  }

  get empty(): boolean {
    return this.#parts.every((part) => part.size === 0);
  }

  /** A part for the entries of one kind. */
  part<Entry>(kind: JournalKind<Entry>): JournalPart<Entry> {
    const part = new JournalPart<Entry>(kind, this);
    this.#parts.push(part as unknown as JournalPart<never>);
    return part;
  }

  /** An id for an operation that is replayed, so that it happens once. */
  operationId(): string {
    return this.#nextId();
  }

  /** Calls `listener` each time an entry was begun. */
  onEntry(listener: () => void): void {
    this.#entered.add(listener);
  }

  /** Calls `listener` with each write that the store, or what is in it, does not let in. */
  onConflict(listener: (conflict: JournalConflict) => void): Unsubscribe {
    const own = (conflict: JournalConflict): void => listener(conflict);
    this.#conflicts.add(own);
    return () => void this.#conflicts.delete(own);
  }

  /** Takes room. @throws OverloadedError when there is not enough. */
  charge(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new OverloadedError('The journal of writes that wait for the store', `${this.#maxBytes} bytes`, {
        advice: 'The write was not taken: try again when the store is back, or raise journal.maxBytes.',
      });
    }
    this.#bytes += bytes;
  }

  /** Gives room back. */
  free(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Tells that there is something to bring to the store. */
  entered(): void {
    for (const listener of this.#entered) listener();
  }

  /** Tells of a write that is given up. */
  conflict(conflict: JournalConflict): void {
    for (const listener of [...this.#conflicts]) listener(conflict);
  }

  /** Brings all to the store, as far as it answers; resolves to whether nothing is left. Never two rounds at once. */
  replay(): Promise<boolean> {
    this.#replaying ??= this.#replayAll().finally(() => (this.#replaying = undefined));
    return this.#replaying;
  }

  async #replayAll(): Promise<boolean> {
    const [first, others] = [this.#parts.filter((part) => part.first), this.#parts.filter((part) => !part.first)];
    for (const part of first) if (!(await part.replay())) return false;
    for (const part of others) await part.replay();
    return this.empty;
  }
}

interface Held<Entry> {
  readonly entry: Entry;
  bytes: number;
  /** On its way to the store: what is called now comes after it. */
  sending: boolean;
}

/** The entries of one kind, by key. */
export class JournalPart<Entry> {
  readonly #kind: JournalKind<Entry>;
  readonly #journal: Journal;
  readonly #held = new Map<string, Held<Entry>>();

  constructor(kind: JournalKind<Entry>, journal: Journal) {
    this.#kind = kind;
    this.#journal = journal;
  }

  get first(): boolean {
    return this.#kind.first ?? false;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Whether calls on `key` must look here before they go to the store. */
  holds(key: string): boolean {
    return this.#held.size > 0 && this.#held.get(key)?.sending === false;
  }

  /** What is noted of `key`. */
  get(key: string): Entry | undefined {
    return this.#held.get(key)?.entry;
  }

  /** The entry of `key`, begun with `make` where there is none, with room for `bytes` more. @throws OverloadedError */
  enter(key: string, bytes: number, make: () => Entry): Entry {
    const held = this.#held.get(key);
    const cost = held === undefined ? bytes + keyBytes + key.length : bytes;
    this.#journal.charge(cost);
    if (held === undefined) this.#held.set(key, { entry: make(), bytes: cost, sending: false });
    else held.bytes += cost;
    this.#journal.entered();
    return this.#held.get(key)?.entry as Entry;
  }

  /** Forgets what is noted of `key`. */
  drop(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#journal.free(held.bytes);
  }

  /** Brings all to the store that is here now; false when the store does not answer. */
  async replay(): Promise<boolean> {
    const waiting = [...this.#held.keys()];
    for (let start = 0; start < waiting.length; start += atOnce) {
      const settled = await Promise.all(waiting.slice(start, start + atOnce).map((key) => this.#replayOne(key)));
      if (!settled.includes(true)) return false;
    }
    return this.#held.size === 0;
  }

  // What the store refuses for good, such as a key that holds something else, would stand in the way for ever.
  async #replayOne(key: string): Promise<boolean> {
    const held = this.#held.get(key);
    if (held === undefined) return true;
    held.sending = true;
    try {
      if ((await this.#kind.replay(key, held.entry)) && this.#held.get(key) === held) this.drop(key);
      return true;
    } catch (error) {
      if (mayPass(error)) return false;
      this.drop(key);
      this.#journal.conflict({ ...this.#kind.subject(key, held.entry), why: String(error) });
      return true;
    } finally {
      held.sending = false;
    }
  }
}

/** Whether `error` says that the store may take later what it did not take now. */
export function mayPass(error: unknown): boolean {
  const passing = ['Unavailable', 'OutcomeUnknown', 'Overloaded', 'Closed'];
  return isCommonholdError(error) && passing.includes(error.code);
}
