import { problem } from '@commonhold/server';
import type { Database, Engine } from './database.js';
import { DirectoryTakenError } from './directory-lock.js';
import { migrate } from './migrations.js';

/** SQLSTATE classes that say that the database cannot serve now: connection, resources, operator, system, read-only. */
const awayStates = /^(?:08|25006|53|57|58)/;

/** An engine whose schema is brought up to date before the first statement, and whose absence reads as 503. */
export class MigratedDatabase implements Database {
  readonly #engine: Engine;
  #migrated: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#run(async () => {
      await this.#migrate();
      return this.#engine.query<Row>(text, values);
    });
  }

  async probe(): Promise<void> {
    await this.#look(`insert into road_probe values (1, now())
      on conflict (id) do update set written_at = excluded.written_at returning id`);
  }

  async ping(): Promise<void> {
    await this.#look('select 1');
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #look(sql: string): Promise<void> {
    if (this.#engine.isStarted) await this.query(sql);
    else await this.#run(() => this.#engine.claim());
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw isAway(error) ? databaseAway(error) : error;
    }
  }

  /** Tried again with the next statement where it failed: a database may come later than this process. */
  #migrate(): Promise<void> {
    this.#migrated ??= migrate(this.#engine).catch((error: unknown) => {
      this.#migrated = undefined;
      throw error;
    });
    return this.#migrated;
  }
}

/** Only what the server itself says about a statement is a fault of the statement. */
function isAway(error: unknown): boolean {
  const { severity, code } = error as { readonly severity?: unknown; readonly code?: unknown };
  return severity === undefined || awayStates.test(String(code));
}

function databaseAway(cause: unknown): Error {
  const away = 'The database cannot be reached. Try again later; with the same observationId nothing counts twice.';
  const detail = cause instanceof DirectoryTakenError ? cause.message : away;
  const error = problem(503, detail, { headers: { 'Retry-After': '1' } });
  error.cause = cause;
  return error;
}
