import type { Settings } from '../settings.js';
import type { Database } from './database.js';
import { EmbeddedEngine } from './embedded-engine.js';
import { MigratedDatabase } from './migrated-database.js';
import { PostgresEngine, type WarningLog } from './postgres-engine.js';

const initialiseAfterMs = 1_500;

/** What the choice depends on. */
export interface DatabasePlace {
  readonly settings: Settings;
  /** Whether other processes share this one's state, which they then must the database. */
  readonly isShared: boolean;
  readonly dataDirectory: string;
  readonly log: WarningLog;
}

/**
 * The PostgreSQL of `DATABASE_URL`; without one, in memory mode, the embedded database; else none. While another process
 * has the embedded database open this one serves without it, and has it when the other is gone.
 */
export async function chooseDatabase(place: DatabasePlace): Promise<Database | undefined> {
  const { databaseUrl } = place.settings;
  if (databaseUrl !== undefined) return new MigratedDatabase(new PostgresEngine(databaseUrl, place.log));
  if (place.isShared) return undefined;
  const engine = new EmbeddedEngine(place.dataDirectory);
  await orWarn(engine.claim(), place.log);
  // Whoever reports first is not to wait for it; a server that is gone in a moment, as in tests, is not to pay for it.
  setTimeout(() => void orWarn(engine.initialise(), place.log), initialiseAfterMs).unref();
  return new MigratedDatabase(engine);
}

async function orWarn(attempt: Promise<void>, log: WarningLog): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    const isClosed = error instanceof Error && error.name === 'AbortError';
    if (!isClosed) log.warn({ err: error }, 'the embedded database cannot be used now');
  }
}
