import type { Settings } from '../settings.js';
import type { Database } from './database.js';
import { openEmbeddedEngine } from './embedded-engine.js';
import { MigratedDatabase } from './migrated-database.js';
import { PostgresEngine, type WarningLog } from './postgres-engine.js';

/** What the choice depends on. */
export interface DatabasePlace {
  readonly settings: Settings;
  /** Whether other processes share this one's state, which they then must the database. */
  readonly isShared: boolean;
  readonly dataDirectory: string;
  readonly log: WarningLog;
}

/**
 * The PostgreSQL of `DATABASE_URL`; without one, in memory mode, the embedded database; else none.
 *
 * @throws {StartError} When another process has the embedded database open.
 */
export async function chooseDatabase(place: DatabasePlace): Promise<Database | undefined> {
  const { databaseUrl } = place.settings;
  if (databaseUrl !== undefined) return new MigratedDatabase(new PostgresEngine(databaseUrl, place.log));
  if (place.isShared) return undefined;
  return new MigratedDatabase(await openEmbeddedEngine(place.dataDirectory));
}
