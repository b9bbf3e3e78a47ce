import type { JournalConflict, JournalSize } from '../backend.js';
import type { Journal } from './journal.js';
import { type JournalKind, JournalPart, type JournalRoom } from './journal-part.js';

/** What the away twins of one set of keys have of the journal. */
export class JournalScope implements JournalRoom {
  readonly #journal: Journal;
  readonly #namespace: string;
  readonly #parts = new Set<JournalPart<never>>();

  constructor(journal: Journal, namespace: string) {
    this.#journal = journal;
    this.#namespace = namespace;
  }

  /** Of all the journal. */
  get size(): JournalSize {
    return this.#journal.size;
  }

  /** A part for the entries of one kind. */
  part<Entry>(kind: JournalKind<Entry>): JournalPart<Entry> {
    const part = new JournalPart<Entry>(kind, this);
    const any = part as unknown as JournalPart<never>;
    this.#parts.add(any);
    this.#journal.add(any);
    return part;
  }

  /** An id for an operation that is replayed, so that it happens once. */
  operationId(): string {
    return this.#journal.operationId();
  }

  charge(bytes: number): void {
    this.#journal.charge(bytes);
  }

  free(bytes: number): void {
    this.#journal.free(bytes);
  }

  entered(): void {
    this.#journal.entered();
  }

  conflict(conflict: Omit<JournalConflict, 'namespace'>): void {
    this.#journal.conflict({ ...conflict, namespace: this.#namespace });
  }

  /** Resolves when all of it was brought to the store, and is no part of the journal any more. */
  async close(): Promise<void> {
    await Promise.all([...this.#parts].map((part) => part.whenEmpty()));
    for (const part of this.#parts) this.#journal.remove(part);
  }
}
