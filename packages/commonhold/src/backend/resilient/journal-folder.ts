import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Clock, Timer } from '../../clock.js';
import { InvalidArgumentError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { Random } from '../../random.js';
import { AdoptedJournal } from './adopted-journal.js';
import { readAt, unfinishedEnd } from './journal-disk.js';
import { JournalFile, type JournalSource } from './journal-file.js';
import { readHeader } from './journal-form.js';

/** What a journal on disk is made of. */
export interface JournalFolderOptions {
  /** What the files' names begin with. */
  readonly file: string;
  readonly maxBytes: number;
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What lies in the journal files of this process, and of dead ones whose files it took over. */
export interface JournalNumbers {
  readonly entries: number;
  readonly bytes: number;
  /** When the oldest entry was written, milliseconds since 1970; undefined when there is none. */
  readonly oldestAtMs: number | undefined;
  /** Bytes of files taken over that could not be read: torn off at the end as by a crash, or damaged. */
  readonly lostBytes: number;
}

const beatMs = 5_000;
/** A process whose file nobody touched for so long is dead. If it is not, no harm is done. */
const silentMs = 20_000;
const host: string = hostname()
  .replace(/[^A-Za-z0-9-]/g, '_')
  .slice(0, 64);

/**
 * Each process has a journal file of its own, `<file>.<8 random characters>.<pid>.<host>`, so that nobody waits for a lock and
 * no file is written by two. A file whose process is dead is taken over, by renaming it, which one process alone can do:
 * when the state is opened, and every few seconds after that. One that was closed has the process id 0.
 */
export class JournalFolder {
  readonly own: JournalFile;
  readonly #options: JournalFolderOptions;
  readonly #adopted = new Set<AdoptedJournal>();
  readonly #told = new Set<string>();
  #lostBytes = 0;
  #timer: Timer | undefined;
  #beating: Promise<void> = Promise.resolve();
  #closed = false;
  /** Called when there is more to read than before. */
  onAdopted: () => void = () => undefined;

  /** @throws InvalidArgumentError where no file can be written. */
  static async open(options: JournalFolderOptions): Promise<JournalFolder> {
    const own = await JournalFile.create({ ...options, path: nameOf(options) }).catch((cause: unknown) => {
      const expected = 'a path in a folder that this process may write to';
      const reason = cause instanceof Error && 'code' in cause ? cause.code : cause;
      throw new InvalidArgumentError(`journal.file ${options.file}`, expected, reason, { cause });
    });
    const folder = new JournalFolder(options, own);
    folder.#beating = folder.#beat();
    await folder.#beating;
    folder.#arm();
    return folder;
  }

  private constructor(options: JournalFolderOptions, own: JournalFile) {
    this.#options = options;
    this.own = own;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  /** What dead processes left first, then our own. */
  get sources(): readonly JournalSource[] {
    return [...this.#adopted, this.own];
  }

  numbers(): JournalNumbers {
    let [entries, bytes, oldestAtMs] = [0, 0, Infinity];
    for (const { records } of this.sources) {
      entries += records.entries;
      bytes += records.bytes;
      for (const { atMs } of records) {
        oldestAtMs = Math.min(oldestAtMs, atMs);
        break;
      }
    }
    return { entries, bytes, oldestAtMs: entries === 0 ? undefined : oldestAtMs, lostBytes: this.#lostBytes };
  }

  /** What is not done with stays on disk, for the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#beating;
    const journals = [this.own, ...this.#adopted];
    await Promise.all(journals.map((journal) => journal.close()));
    // What is left is nobody's from now on.
    await Promise.all(journals.map(({ path }) => rename(path, nameOf(this.#options, 0)).catch(() => undefined)));
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(() => {
      this.#beating = this.#beat().finally(() => this.#arm());
    }, beatMs);
  }

  async #beat(): Promise<void> {
    const nowMs = this.#options.clock.now();
    for (const journal of this.#adopted) if (journal.ended) this.#adopted.delete(journal);
    await Promise.all([this.own.attend(), ...Array.from(this.#adopted, (journal) => journal.attend(nowMs))]);
    try {
      await this.#adoptAll();
    } catch (error) {
      this.#tell('warn', this.#options.file, 'journal files cannot be looked for', { error: String(error) });
    }
  }

  async #adoptAll(): Promise<void> {
    const folder = dirname(this.#options.file);
    const before = this.#adopted.size;
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!(await this.#isOrphan(path, name))) continue;
      // All that was ever answered is in the file that it was to replace.
      if (name.endsWith(unfinishedEnd)) await rm(path, { force: true }).catch(() => undefined);
      else await this.#adopt(path);
    }
    if (this.#adopted.size > before) this.onAdopted();
  }

  async #isOrphan(path: string, name: string): Promise<boolean> {
    const base = `${basename(this.#options.file)}.`;
    const [, pid, itsHost] =
      (name.startsWith(base) && /^[\w-]{8}\.(\d+)\.([\w-]+)(?:\.new)?$/.exec(name.slice(base.length))) || [];
    if (pid === undefined || path.startsWith(this.own.path)) return false;
    if (Array.from(this.#adopted).some((journal) => journal.path === path)) return false;
    const dead = pid === '0' || (itsHost === host && !isAlive(Number(pid)));
    const touchedAtMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    return dead || this.#options.clock.now() - touchedAtMs > silentMs;
  }

  async #adopt(path: string): Promise<void> {
    try {
      if (!(await this.#isOurs(path))) return;
      const own = nameOf(this.#options);
      await rename(path, own);
      const journal = await AdoptedJournal.open(own);
      if (journal === undefined) return;
      this.#report(journal);
      if (journal.ended) return;
      this.#adopted.add(journal);
    } catch (error) {
      // Another process was faster.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      this.#tell('error', path, 'a journal file cannot be read, and is left as it is', { error: String(error) });
    }
  }

  // Looked at before it is renamed: what is another's, or of a form that we do not know, stays untouched.
  async #isOurs(path: string): Promise<boolean> {
    const handle = await open(path, 'r');
    try {
      const header = readHeader(await readAt(handle, 1_024, 0), `Journal file ${path}`);
      if (header === undefined) this.#tell('error', path, 'a journal file has no beginning, and is left as it is');
      return header?.namespace === this.#options.namespace;
    } finally {
      await handle.close();
    }
  }

  #report({ path, contents: { places, tornBytes, damagedBytes } }: AdoptedJournal): void {
    this.#lostBytes += tornBytes + damagedBytes;
    const { log } = this.#options;
    if (places.length > 0) log.info({ file: path, entries: places.length }, 'what a dead process left is taken over');
    if (tornBytes > 0) log.warn({ file: path, bytes: tornBytes }, 'the end of a journal file is torn, and left out');
    if (damagedBytes > 0) {
      log.error({ file: path, bytes: damagedBytes }, 'a journal file is damaged; all that can be read of it is kept');
    }
  }

  #tell(level: 'warn' | 'error', file: string, message: string, fields: object = {}): void {
    if (this.#told.has(`${file} ${message}`)) return;
    this.#told.add(`${file} ${message}`);
    this.#options.log[level]({ file, ...fields }, message);
  }
}

function nameOf({ file, random }: JournalFolderOptions, pid: number = process.pid): string {
  return `${file}.${random.bytes(6).toString('base64url')}.${pid}.${host}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // One that belongs to somebody else may not be signalled.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
