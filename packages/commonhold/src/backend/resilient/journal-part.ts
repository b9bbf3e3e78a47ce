import { isCommonholdError } from '../../errors.js';
import type { JournalConflict, JournalSubject } from '../backend.js';

/** What a key takes besides its text and its entry: the most that was measured. */
const keyBytes = 256;
/** Entries that are brought to the store at once. */
const atOnce = 64;
/** So many entries that fail in a row end a round; the next begins with those that come after. */
const mostFailures = 2_048;

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
  subject(key: string, entry: Entry): Omit<JournalSubject, 'namespace'>;
}

/** What entries take room in. */
export interface JournalRoom {
  /** Takes room. @throws OverloadedError when there is not enough. */
  charge(bytes: number): void;
  /** Gives room back. */
  free(bytes: number): void;
  /** Tells that there is something to bring to the store. */
  entered(): void;
  /** Tells of a write that is given up. */
  conflict(conflict: Omit<JournalConflict, 'namespace'>): void;
}

interface Held<Entry> {
  readonly entry: Entry;
  bytes: number;
  /** Counts what was noted of it: what came while it was sent stays. */
  changes: number;
  /** On its way to the store: what is called now comes after it. */
  sending: Promise<void> | undefined;
}

/** The entries of one kind, by key. */
export class JournalPart<Entry> {
  readonly #kind: JournalKind<Entry>;
  readonly #journal: JournalRoom;
  readonly #held = new Map<string, Held<Entry>>();
  readonly #onEmpty: (() => void)[] = [];

  constructor(kind: JournalKind<Entry>, journal: JournalRoom) {
    this.#kind = kind;
    this.#journal = journal;
  }

  get first(): boolean {
    return this.#kind.first ?? false;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Whether calls on `key` are answered from here. */
  holds(key: string): boolean {
    return this.#held.size > 0 && this.#held.has(key);
  }

  /**
   * Resolves when `key` is on its way no more; undefined where it is not. What is called meanwhile must wait for that: a script
   * that the store has lost is sent twice, and would be overtaken.
   */
  sending(key: string): Promise<void> | undefined {
    return this.#held.size > 0 ? this.#held.get(key)?.sending : undefined;
  }

  /** What is noted of `key`. */
  get(key: string): Entry | undefined {
    return this.#held.get(key)?.entry;
  }

  /** The entry of `key`, begun with `make` where there is none, with room for `bytes` more. @throws OverloadedError */
  enter(key: string, bytes: number, make: () => Entry): Entry {
    const before = this.#held.get(key);
    const cost = before === undefined ? bytes + keyBytes + key.length : bytes;
    this.#journal.charge(cost);
    const held = before ?? { entry: make(), bytes: 0, changes: 0, sending: undefined };
    held.bytes += cost;
    held.changes += 1;
    this.#held.set(key, held);
    this.#journal.entered();
    return held.entry;
  }

  /** Forgets what is noted of `key`. */
  drop(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#journal.free(held.bytes);
    if (this.#held.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  whenEmpty(): Promise<void> {
    return this.#held.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Brings all to the store that is here now, as far as it answers; resolves to whether nothing is left. */
  async replay(): Promise<boolean> {
    const waiting = [...this.#held.keys()];
    let failures = 0;
    for (let start = 0; start < waiting.length && failures < mostFailures; start += atOnce) {
      const settled = await Promise.all(waiting.slice(start, start + atOnce).map((key) => this.#replayOne(key)));
      failures = settled.includes(true) ? 0 : failures + settled.length;
    }
    return this.#held.size === 0;
  }

  async #replayOne(key: string): Promise<boolean> {
    const held = this.#held.get(key);
    if (held === undefined) return true;
    const sent = this.#send(key, held);
    const sending = sent.then(() => void (held.sending = undefined));
    held.sending = sending;
    return sending.then(() => sent);
  }

  // What the store refuses for good, such as a key that holds something else, would stand in the way for ever.
  async #send(key: string, held: Held<Entry>): Promise<boolean> {
    const { changes } = held;
    try {
      const done = await this.#kind.replay(key, held.entry);
      if (done && held.changes === changes && this.#held.get(key) === held) this.drop(key);
      return true;
    } catch (error) {
      if (mayPass(error)) return this.#putOff(key, held);
      if (this.#held.get(key) === held) this.drop(key);
      this.#journal.conflict({ ...this.#kind.subject(key, held.entry), why: String(error) });
      return true;
    }
  }

  // Behind the others, so that those of a part of the store which answers come to their turn.
  #putOff(key: string, held: Held<Entry>): false {
    if (this.#held.get(key) === held && this.#held.delete(key)) this.#held.set(key, held);
    return false;
  }
}

/** Whether `error` says that the store may take later what it did not take now. */
export function mayPass(error: unknown): boolean {
  const passing = ['Unavailable', 'OutcomeUnknown', 'Overloaded', 'Closed'];
  return isCommonholdError(error) && passing.includes(error.code);
}
