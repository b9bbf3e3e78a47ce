import { OverloadedError } from '../../errors.js';
import type { JournalConflict, JournalSize } from '../backend.js';
import type { Unsubscribe } from '../bus.js';
import type { JournalPart } from './journal-part.js';

/** Bound on what waits for the store, unless told otherwise (DECISIONS K9). */
export const journalBytes: number = 8 * 1024 * 1024;

/**
 * What was written while the store was away: state per key and no log, so that an hour of it takes no more than the keys that
 * were written. Bounded in bytes; a write beyond is refused.
 */
export class Journal {
  readonly #maxBytes: number;
  readonly #nextId: () => string;
  readonly #parts = new Set<JournalPart<never>>();
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
    const entries = [...this.#parts].reduce((sum, part) => sum + part.size, 0);
    return { entries, bytes: this.#bytes, maxBytes: this.#maxBytes };
  }

  get empty(): boolean {
    return [...this.#parts].every((part) => part.size === 0);
  }

  /** Counts what is in `part`, and brings it to the store. */
  add(part: JournalPart<never>): void {
    this.#parts.add(part);
  }

  /** Forgets `part`, which is empty. */
  remove(part: JournalPart<never>): void {
    this.#parts.delete(part);
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

  // Where one part of a cluster is away, what waits for the others must not wait for it.
  async #replayAll(): Promise<boolean> {
    const parts = [...this.#parts];
    for (const part of parts) if (part.first) await part.replay();
    for (const part of parts) if (!part.first) await part.replay();
    return this.empty;
  }
}
