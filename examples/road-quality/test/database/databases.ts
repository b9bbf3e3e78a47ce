import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { EmbeddedEngine } from '../../src/database/embedded-engine.js';
import { MigratedDatabase } from '../../src/database/migrated-database.js';
import { PostgresEngine } from '../../src/database/postgres-engine.js';
import { type PostgresServer, startPostgres } from '../postgres.js';

/** A PostgreSQL for the tests of one `describe`. */
export function ownPostgres(): () => PostgresServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  return () => server as PostgresServer;
}

/** One database for the tests of one `describe`. */
function ownDatabase(open: () => Promise<{ database: Database; end: () => Promise<void> }>): () => Database {
  let opened: Awaited<ReturnType<typeof open>> | undefined;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(async () => {
    await opened?.database.close();
    await opened?.end();
  });
  return () => opened?.database as Database;
}

/** A log that nobody reads. */
export const silent = { warn: (): void => undefined };

async function embedded(): Promise<{ database: Database; end: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-road-'));
  const database = new MigratedDatabase(new EmbeddedEngine(directory));
  return { database, end: () => rm(directory, { recursive: true, force: true }) };
}

async function server(): Promise<{ database: Database; end: () => Promise<void> }> {
  const postgres = await startPostgres();
  const database = new MigratedDatabase(new PostgresEngine(await postgres.database(), silent));
  return { database, end: () => postgres.stop() };
}

/** The databases that the contract holds on. */
export const databases: readonly (readonly [name: string, own: () => () => Database])[] = [
  ['embedded', () => ownDatabase(embedded)],
  ['PostgreSQL', () => ownDatabase(server)],
];
