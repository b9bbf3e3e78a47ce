import type { Settings } from '../settings.js';
import type { Database } from './database.js';
import { type EmbeddedEngine, openEmbeddedEngine } from './embedded-engine.js';
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
 * The PostgreSQL of `DATABASE_URL`; without one, in memory mode, the embedded database; else none.
 *
 * @throws {StartError} When another process has the embedded database open.
 */
export async function chooseDatabase(place: DatabasePlace): Promise<Database | undefined> {
  const { databaseUrl } = place.settings;
  if (databaseUrl !== undefined) return new MigratedDatabase(new PostgresEngine(databaseUrl, place.log));
  if (place.isShared) return undefined;
  const engine = await openEmbeddedEngine(place.dataDirectory);
  initialiseLater(engine, place.log);
  return new MigratedDatabase(engine);
}

/** Whoever reports first is not to wait for it; a server that is gone in a moment, as in tests, is not to pay for it. */
function initialiseLater(engine: EmbeddedEngine, log: WarningLog): void {
  const initialise = async (): Promise<void> => {
    try {
      await engine.initialise();
    } catch (error) {
      const isClosed = error instanceof Error && error.name === 'AbortError';
      if (!isClosed) log.warn({ err: error }, 'the embedded database is not ready');
    }
  };
  setTimeout(() => void initialise(), initialiseAfterMs).unref();
}
