import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { Engine, Sql } from './database.js';
import { type DirectoryLock, lockDirectory } from './directory-lock.js';
import { initialiseDirectory } from './initialise-directory.js';

/**
 * PostgreSQL inside this process (PGlite), its files in a directory. One process alone may have that open: two would lose
 * each other's rows without a word, so the directory is locked. It is started with the first statement: that takes half a
 * second and 200 MB, the very first time some seconds, which a server that nobody asks for roads should not pay.
 */
export class EmbeddedEngine implements Engine {
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  readonly #closing = new AbortController();
  #initialised: Promise<void> | undefined;
  #starting: Promise<PGlite> | undefined;

  /** Use {@link openEmbeddedEngine}. */
  constructor(directory: string, lock: DirectoryLock) {
    this.#directory = directory;
    this.#lock = lock;
  }

  get isStarted(): boolean {
    return this.#starting !== undefined;
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const database = await this.#open();
    const { rows } = await database.query<Row>(text, [...values]);
    return rows;
  }

  async transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    const database = await this.#open();
    return database.transaction((transaction) =>
      work({
        query: async <Row>(text: string, values: readonly unknown[] = []) =>
          (await transaction.query<Row>(text, [...values])).rows,
      }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const database = await this.#starting?.catch(() => undefined);
    await database?.close();
    await this.#initialised?.catch(() => undefined);
    await this.#lock.release();
  }

  /** Makes the database's files, without starting it: the first statement then has less to wait for. */
  async initialise(): Promise<void> {
    this.#initialised ??= initialiseDirectory(this.#directory, this.#closing.signal).catch((error: unknown) => {
      this.#initialised = undefined;
      throw error;
    });
    return this.#initialised;
  }

  async #open(): Promise<PGlite> {
    await this.#lock.confirm();
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #start(): Promise<PGlite> {
    await this.initialise();
    // Megabytes of WebAssembly that a process with a PostgreSQL server never needs.
    const { PGlite: Embedded } = await import('@electric-sql/pglite');
    return Embedded.create(this.#directory);
  }
}

/**
 * The embedded database below `dataDirectory`.
 *
 * @throws {StartError} When another process has it open, naming that process.
 */
export async function openEmbeddedEngine(dataDirectory: string): Promise<EmbeddedEngine> {
  const lock = await lockDirectory(dataDirectory);
  return new EmbeddedEngine(join(dataDirectory, 'pglite'), lock);
}
