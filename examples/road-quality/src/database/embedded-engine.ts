import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { Engine, Sql } from './database.js';
import { type DirectoryLock, lockDirectory } from './directory-lock.js';
import { initialiseDirectory } from './initialise-directory.js';

/**
 * PostgreSQL inside this process (PGlite), its files below a directory. One process alone may have that open: two would
 * lose each other's rows without a word, so the directory is locked, and calls reject with `DirectoryTakenError` while
 * another process has it. It is started with the first statement: that takes half a second and 200 MB, the very first time
 * some seconds, which a server that nobody asks for roads should not pay.
 */
export class EmbeddedEngine implements Engine {
  readonly #dataDirectory: string;
  readonly #closing = new AbortController();
  #lock: Promise<DirectoryLock> | undefined;
  #initialised: Promise<void> | undefined;
  #starting: Promise<PGlite> | undefined;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
  }

  get isStarted(): boolean {
    return this.#starting !== undefined;
  }

  async claim(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    this.#lock ??= lockDirectory(this.#dataDirectory).catch((error: unknown) => {
      this.#lock = undefined;
      throw error;
    });
    const lock = await this.#lock;
    await lock.confirm();
  }

  /** Makes the database's files, without starting it: the first statement then has less to wait for. */
  async initialise(): Promise<void> {
    await this.claim();
    const { signal } = this.#closing;
    this.#initialised ??= initialiseDirectory(this.#directory, signal).catch((error: unknown) => {
      this.#initialised = undefined;
      throw error;
    });
    return this.#initialised;
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
    const lock = await this.#lock?.catch(() => undefined);
    await lock?.release();
  }

  get #directory(): string {
    return join(this.#dataDirectory, 'pglite');
  }

  async #open(): Promise<PGlite> {
    await this.claim();
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
