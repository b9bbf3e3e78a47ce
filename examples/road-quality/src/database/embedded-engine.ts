import { existsSync } from 'node:fs';
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
      work({ query: async <Row>(text: string, values: readonly unknown[] = []) => (await transaction.query<Row>(text, [...values])).rows }),
    );
  }

  async close(): Promise<void> {
    const database = await this.#starting?.catch(() => undefined);
    await database?.close();
    await this.#lock.release();
  }

  async #open(): Promise<PGlite> {
    await this.#lock.confirm();
    this.#starting ??= start(this.#directory).catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }
}

async function start(directory: string): Promise<PGlite> {
  if (!existsSync(join(directory, 'PG_VERSION'))) await initialiseDirectory(directory);
  // Megabytes of WebAssembly that a process with a PostgreSQL server never needs.
  const { PGlite: Embedded } = await import('@electric-sql/pglite');
  return Embedded.create(directory);
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
