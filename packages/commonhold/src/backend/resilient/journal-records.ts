/** Something that was written to a journal file, and that is not yet done with. */
export interface JournalRecord {
  /** Where it lies; another place once the file was written anew. */
  offset: number;
  readonly bytes: number;
  readonly kind: number;
  /** When it was appended, milliseconds since 1970. */
  readonly atMs: number;
  /** How many things it holds, as its writer counts. */
  readonly entries: number;
}

/** Records in the order in which they were appended, and what they come to. */
export class JournalRecords implements Iterable<JournalRecord> {
  readonly #records = new Set<JournalRecord>();
  #entries = 0;
  #bytes = 0;

  get count(): number {
    return this.#records.size;
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(record: JournalRecord): void {
    this.#records.add(record);
    this.#entries += record.entries;
    this.#bytes += record.bytes;
  }

  /** Whether it was there. */
  delete(record: JournalRecord): boolean {
    if (!this.#records.delete(record)) return false;
    this.#entries -= record.entries;
    this.#bytes -= record.bytes;
    return true;
  }

  [Symbol.iterator](): Iterator<JournalRecord> {
    return this.#records[Symbol.iterator]();
  }
}
