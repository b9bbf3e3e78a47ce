import { type FileHandle, rm } from 'node:fs/promises';
import type { Clock } from '../../clock.js';
import {
  ClosedError,
  CorruptStateError,
  OutcomeUnknownError,
  OverloadedError,
  UnavailableError,
} from '../../errors.js';
import type { Random } from '../../random.js';
import { isFull, leadsTo, placeFile, readAt, writeAt } from './journal-disk.js';
import { type JournalRecord, JournalRecords } from './journal-records.js';
import {
  forgetting,
  type JournalMark,
  type JournalPlace,
  markOf,
  readBody,
  writeHeader,
  writeOffsets,
  writeRecord,
} from './journal-form.js';

/** Records that can be read and, once done with, forgotten. */
export interface JournalSource {
  /** In the order in which they were appended. */
  readonly records: JournalRecords;
  /** Its body. @throws CorruptStateError when the disk gives other bytes than were written. */
  read(record: JournalRecord): Promise<Buffer>;
  /** They are done with. Not synced: after a crash of the machine some of them may be there again. */
  forget(records: readonly JournalRecord[]): void;
}

/** What a journal file is made of. */
export interface JournalFileOptions {
  readonly path: string;
  readonly namespace: string;
  /** Bound on what lies in it and is not done with; the file itself may be twice as large. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly random: Random;
}

interface Waiting {
  readonly bytes: Buffer;
  readonly record: Omit<JournalRecord, 'offset'>;
  resolve(record: JournalRecord): void;
  reject(error: unknown): void;
}

const operation = 'journal.append';
/** Less than this is not worth writing a file anew for. */
const leastGarbage = 1024 * 1024;
const copiedAtOnce = 1024 * 1024;

/**
 * An append-only file of one process. What `append` answered is on disk and comes back whole after `kill -9` or a loss of
 * power; appends that come while the disk is busy share the next write. Nobody else writes to it: who takes it away, because
 * its process seems dead, renames it, which is noticed here, and everything is written again under the old name.
 */
export class JournalFile implements JournalSource {
  readonly path: string;
  readonly records: JournalRecords = new JournalRecords();
  readonly #options: JournalFileOptions;
  readonly #header: Buffer;
  readonly #mark: JournalMark;
  #handle: FileHandle;
  /** Where the next record goes. */
  #end: number;
  #compactAbove = leastGarbage;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #forgotten: number[] = [];
  /** Whether the disk may hold something else than we know. */
  #doubtful = false;
  /** Whether the disk had no room, so that each byte given back counts. */
  #cramped = false;
  #closed = false;
  #working: Promise<void> | undefined;

  /** Makes the file. Rejects with the system's error where that cannot be done. */
  static async create(options: JournalFileOptions): Promise<JournalFile> {
    const header = { id: options.random.bytes(8).toString('hex'), namespace: options.namespace };
    const bytes = writeHeader(header);
    const { handle } = await placeFile(options.path, (fresh) => writeAt(fresh, bytes, 0).then(() => bytes.length));
    return new JournalFile(options, bytes, markOf(header), handle);
  }

  private constructor(options: JournalFileOptions, header: Buffer, mark: JournalMark, handle: FileHandle) {
    this.path = options.path;
    this.#options = options;
    this.#header = header;
    this.#mark = mark;
    this.#handle = handle;
    this.#end = header.length;
  }

  /**
   * Appends a record of a kind from 1 to 255; resolves when it is on disk. Rejects with `Overloaded` when the file or the disk
   * is full, with `Unavailable` when it cannot be written, both for certain; with `OutcomeUnknown` when it may come back.
   */
  append(kind: number, body: Uint8Array, entries: number = 1): Promise<JournalRecord> {
    if (this.#closed) return Promise.reject(new ClosedError('The journal file'));
    const atMs = this.#options.clock.now();
    const bytes = writeRecord(this.#mark, { kind, atMs, entries }, body);
    if (this.records.bytes + this.#waitingBytes + bytes.length > this.#options.maxBytes) {
      return Promise.reject(new OverloadedError('The journal file', `${this.#options.maxBytes} bytes`));
    }
    this.#waitingBytes += bytes.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, record: { bytes: bytes.length, kind, atMs, entries }, resolve, reject });
      this.#work();
    });
  }

  forget(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (this.records.delete(record)) this.#forgotten.push(record.offset);
    }
    this.#work();
  }

  async read(record: JournalRecord): Promise<Buffer> {
    const body = readBody(this.#mark, await readAt(this.#handle, record.bytes, record.offset));
    if (body === undefined) throw new CorruptStateError(this.path, 'the disk gave other bytes than were written');
    return body;
  }

  /** Says by the time of the file that its process lives, and puts the file back where it was taken away. */
  async attend(): Promise<void> {
    const now = new Date(this.#options.clock.now());
    await this.#handle.utimes(now, now).catch(() => undefined);
    if (await leadsTo(this.path, this.#handle)) return;
    this.#doubtful = true;
    this.#work();
    await this.#working;
  }

  /** Writes what waits and lets go of the file, which is removed when nothing is left in it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
    if (this.records.count > 0) await this.attend();
    const own = await leadsTo(this.path, this.#handle);
    await this.#handle.close();
    if (own && this.records.count === 0) await rm(this.path, { force: true });
  }

  #work(): void {
    this.#working ??= this.#workAll();
  }

  async #workAll(): Promise<void> {
    // Whatever else is appended in this turn shares the write.
    await Promise.resolve();
    let written: boolean;
    do written = await this.#writeGroup();
    while (this.#waiting.length > 0 || (written && (this.#doubtful || this.#forgotten.length > 0)));
    this.#working = undefined;
  }

  async #writeGroup(): Promise<boolean> {
    const group = this.#waiting.splice(0);
    try {
      await this.#tidy();
      const records = await this.#write(group);
      for (const [index, waiting] of group.entries()) waiting.resolve(records[index] as JournalRecord);
      return true;
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
      return false;
    } finally {
      for (const { bytes } of group) this.#waitingBytes -= bytes.length;
    }
  }

  /** Has the file hold no more than twice what it must. */
  async #tidy(): Promise<void> {
    const garbage = this.#end - this.#header.length - this.records.bytes;
    if (this.#doubtful) return this.#writeAnew().catch((error: unknown) => fail(error));
    if (this.records.count === 0 && garbage > 0) return this.#empty();
    if (garbage <= (this.#cramped ? this.records.bytes / 8 : Math.max(this.#compactAbove, this.records.bytes))) return;
    // Without room for a second file, the first one still serves.
    await this.#writeAnew().catch(() => (this.#compactAbove = 2 * garbage));
  }

  async #empty(): Promise<void> {
    await this.#handle.truncate(this.#header.length).catch((error: unknown) => fail(error));
    this.#end = this.#header.length;
    this.#forgotten = [];
  }

  async #write(group: readonly Waiting[]): Promise<JournalRecord[]> {
    const forgotten = this.#forgotten.splice(0);
    const { clock } = this.#options;
    const note =
      forgotten.length === 0
        ? []
        : [writeRecord(this.#mark, { kind: forgetting, atMs: clock.now(), entries: 0 }, writeOffsets(forgotten))];
    let offset = this.#end + (note[0]?.length ?? 0);
    const records = group.map(({ record }) => {
      const placed = { offset, ...record };
      offset += record.bytes;
      return placed;
    });
    await this.#put(Buffer.concat([...note, ...group.map(({ bytes }) => bytes)])).catch((error: unknown) => {
      this.#forgotten.push(...forgotten);
      fail(error);
    });
    if (group.length > 0) await this.#sync();
    this.#end = offset;
    for (const record of records) this.records.add(record);
    if (group.length > 0 && !(await leadsTo(this.path, this.#handle))) await this.#restore(records);
    return records;
  }

  async #put(bytes: Buffer): Promise<void> {
    try {
      await writeAt(this.#handle, bytes, this.#end);
    } catch (error) {
      this.#cramped ||= isFull(error);
      await this.#handle.truncate(this.#end).catch(() => (this.#doubtful = true));
      throw error;
    }
  }

  // After a failed sync nobody knows what is on the disk, and a second one would not say.
  async #sync(): Promise<void> {
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#doubtful = true;
      await this.#writeAnew().catch(() => {
        throw new OutcomeUnknownError(operation, 'the disk failed', false, { cause: error });
      });
      fail(error);
    }
  }

  // Our name leads elsewhere: the file was removed, or taken over by another process.
  async #restore(records: readonly JournalRecord[]): Promise<void> {
    try {
      await this.#writeAnew();
    } catch (error) {
      this.#doubtful = true;
      for (const record of records) this.records.delete(record);
      throw new OutcomeUnknownError(operation, 'the file was taken away', false, { cause: error });
    }
  }

  async #writeAnew(): Promise<void> {
    const kept = [...this.records];
    const old = this.#handle;
    const { handle, length } = await placeFile(this.path, async (fresh) => {
      await writeAt(fresh, this.#header, 0);
      let end = this.#header.length;
      for (const run of runsOf(kept)) {
        const bytes = await readAt(old, run.bytes, run.offset);
        if (bytes.length < run.bytes) throw new CorruptStateError(this.path, 'it is shorter than it was');
        await writeAt(fresh, bytes, end);
        end += run.bytes;
      }
      return end;
    });
    const moved = new Map<number, number>();
    let offset = this.#header.length;
    for (const record of kept) {
      moved.set(record.offset, offset);
      record.offset = offset;
      offset += record.bytes;
    }
    // Of those forgotten meanwhile some were copied.
    this.#forgotten = this.#forgotten.flatMap((before) => moved.get(before) ?? []);
    this.#handle = handle;
    this.#end = length;
    this.#compactAbove = leastGarbage;
    this.#doubtful = false;
    this.#cramped = false;
    await old.close();
  }
}

/** Neighbours are copied together. */
function runsOf(records: readonly JournalPlace[]): { offset: number; bytes: number }[] {
  const runs: { offset: number; bytes: number }[] = [];
  for (const { offset, bytes } of records) {
    const last = runs.at(-1);
    if (last !== undefined && last.offset + last.bytes === offset && last.bytes < copiedAtOnce) last.bytes += bytes;
    else runs.push({ offset, bytes });
  }
  return runs;
}

function fail(error: unknown): never {
  if (isFull(error)) throw new OverloadedError('The disk of the journal file', 'no room', { cause: error });
  throw new UnavailableError(operation, 'the journal file cannot be written', { cause: error });
}
