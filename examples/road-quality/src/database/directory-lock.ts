import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Another process has the directory; the message says which, and what to do. */
export class DirectoryTakenError extends Error {
  override readonly name = 'DirectoryTakenError';
}

/** What the lock file says of its holder. */
interface Holder {
  readonly host: string;
  readonly processId: number;
  readonly token: string;
}

const beatMs = 3_000;
/** On another machine only the age of the last beat tells whether the holder lives. */
const staleMs = 15_000;
/** Longer than another one can take from finding the same dead holder to writing its own name. */
const settleMs = 100;

/** Tokens of this process's own locks: a restarted container has the process id that it had before. */
const own = new Set<string>();

/** A directory that is this process's alone. */
export class DirectoryLock {
  readonly #path: string;
  readonly #token: string;
  readonly #timer: NodeJS.Timeout;

  /** Use {@link lockDirectory}. */
  constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
    this.#timer = setInterval(() => void this.#beat(), beatMs).unref();
  }

  /** @throws {DirectoryTakenError} When another process took it over, which one may after a pause of 15 s. */
  async confirm(): Promise<void> {
    const holder = await readHolder(this.#path);
    if (holder?.token !== this.#token) throw new DirectoryTakenError(`${this.#path} was taken over by another process`);
  }

  /** Lets others have it. May be called twice. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    own.delete(this.#token);
    const holder = await readHolder(this.#path);
    if (holder?.token === this.#token) await rm(this.#path, { force: true });
  }

  async #beat(): Promise<void> {
    const now = new Date();
    await utimes(this.#path, now, now).catch(() => undefined);
  }
}

/**
 * Takes `directory` for this process, also from one that died.
 *
 * @throws {DirectoryTakenError} When a live process has it.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, 'database.lock');
  const token = randomUUID();
  own.add(token);
  try {
    await take(path, { host: hostname(), processId: process.pid, token });
  } catch (error) {
    own.delete(token);
    throw error;
  }
  return new DirectoryLock(path, token);
}

async function take(path: string, mine: Holder): Promise<void> {
  const written = await write(path, mine);
  if (written) return;
  const holder = await readHolder(path);
  if (await isAlive(path, holder)) throw taken(path, holder);
  await rm(path, { force: true });
  await write(path, mine);
  await sleep(settleMs);
  const now = await readHolder(path);
  if (now?.token !== mine.token) throw taken(path, now);
}

/** Whether the file was not there, and now says this. */
async function write(path: string, holder: Holder): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when there is none, or one that its writer did not finish. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function isAlive(path: string, holder: Holder | undefined): Promise<boolean> {
  const ageMs = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => Infinity,
  );
  if (holder === undefined || holder.host !== hostname()) return ageMs < staleMs;
  // Process ids begin anew with the machine.
  if (ageMs > uptime() * 1_000) return false;
  return holder.processId === process.pid ? own.has(holder.token) : isRunning(holder.processId);
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function taken(path: string, holder: Holder | undefined): DirectoryTakenError {
  const who = holder === undefined ? 'Another process' : `Process ${holder.processId} on ${holder.host}`;
  const advice = 'Set DATABASE_URL to share a PostgreSQL, or give this one another DATA_DIR';
  return new DirectoryTakenError(
    `${who} has the embedded database open, which is for one process alone. ${advice}. (${path})`,
  );
}
