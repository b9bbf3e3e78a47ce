import { Pool, type PoolClient } from 'pg';
import type { Engine, Sql } from './database.js';

/** How long a connection or a statement may take before its caller is told that the database is away. */
const deadlineMs = 2_000;
/** Connections of one process; PostgreSQL takes 100 by default, from all processes together. */
const mostConnections = 10;

/** What the log needs here: a pino or Fastify logger fits. */
export interface WarningLog {
  warn(details: object, message: string): void;
}

/** A PostgreSQL server, through a pool of connections. It is not connected to before the first statement. */
export class PostgresEngine implements Engine {
  readonly isStarted = true;
  readonly #pool: Pool;

  constructor(url: string, log: WarningLog) {
    this.#pool = new Pool({
      connectionString: url,
      application_name: 'road-quality',
      max: mostConnections,
      connectionTimeoutMillis: deadlineMs,
      query_timeout: deadlineMs,
      statement_timeout: deadlineMs,
    });
    // An idle connection that breaks is no failure of anybody's call; without a listener it would end the process.
    this.#pool.on('error', (error) => log.warn({ err: error }, 'an idle connection to PostgreSQL broke'));
  }

  claim(): Promise<void> {
    return Promise.resolve();
  }

  query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return run(this.#pool, text, values);
  }

  async transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect();
    let broken = false;
    try {
      await client.query('begin');
      const result = await work({ query: (text, values = []) => run(client, text, values) });
      await client.query('commit');
      return result;
    } catch (error) {
      broken = await rollBack(client);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

async function run<Row>(on: Pool | PoolClient, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await on.query(text, [...values]);
  return rows as Row[];
}

/** Whether the connection is beyond use. */
async function rollBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return false;
  } catch {
    return true;
  }
}
