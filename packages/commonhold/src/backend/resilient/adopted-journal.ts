import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { CorruptStateError } from '../../errors.js';
import type { JournalSource } from './journal-file.js';
import { type JournalRecord, JournalRecords } from './journal-records.js';
import { type JournalContents, type JournalMark, markOf, readBody, readContents, readHeader } from './journal-form.js';
import { readAt } from './journal-disk.js';

/**
 * What a process that died left in its journal file. Read, never written to, so that no harm is done where that process lives
 * after all; gone when all of it is done with.
 */
export class AdoptedJournal implements JournalSource {
  readonly path: string;
  readonly contents: JournalContents;
  readonly #mark: JournalMark;
  readonly #handle: FileHandle;
  readonly records: JournalRecords = new JournalRecords();
  #ended: Promise<void> | undefined;

  /** Of a file that was renamed to `path`, which is ours. Undefined for one that is no journal. */
  static async open(path: string): Promise<AdoptedJournal | undefined> {
    const handle = await open(path, 'r');
    let journal: AdoptedJournal | undefined;
    try {
      const bytes = await handle.readFile();
      const header = readHeader(bytes, path);
      if (header !== undefined) journal = new AdoptedJournal(path, handle, markOf(header), bytes);
      return journal;
    } finally {
      if (journal === undefined) await handle.close();
    }
  }

  private constructor(path: string, handle: FileHandle, mark: JournalMark, bytes: Buffer) {
    this.path = path;
    this.contents = readContents(bytes, mark);
    this.#handle = handle;
    this.#mark = mark;
    for (const place of this.contents.places) this.records.add({ ...place });
    this.forget([]);
  }

  /** Whether all of it is done with. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  async read(record: JournalRecord): Promise<Buffer> {
    const body = readBody(this.#mark, await readAt(this.#handle, record.bytes, record.offset));
    if (body === undefined) throw new CorruptStateError(this.path, 'the disk gave other bytes than were found first');
    return body;
  }

  forget(records: readonly JournalRecord[]): void {
    for (const record of records) this.records.delete(record);
    if (this.records.count === 0) this.#ended ??= this.#end();
  }

  /** Says by the time of the file that it is in somebody's hands. */
  async attend(nowMs: number): Promise<void> {
    if (!this.ended) await this.#handle.utimes(new Date(nowMs), new Date(nowMs)).catch(() => undefined);
  }

  /** Lets go of the file, which stays for the next process unless all of it is done with. */
  async close(): Promise<void> {
    await (this.#ended ?? this.#handle.close());
  }

  async #end(): Promise<void> {
    await this.#handle.close();
    // What could not be read stays, for people to look at.
    if (this.contents.damagedBytes > 0) await rename(this.path, `${this.path}.damaged`).catch(() => undefined);
    else await rm(this.path, { force: true }).catch(() => undefined);
  }
}
