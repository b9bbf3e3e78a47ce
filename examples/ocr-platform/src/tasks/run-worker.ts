import { StartError } from '@commonhold/server';
import { type Environment, openState } from 'commonhold';
import { join } from 'node:path';
import { openFileStore } from '../files/file-store.js';
import { openOcrState } from '../ocr-state.js';
import { readSettings } from '../settings.js';
import { startScanWorker } from './scan-worker.js';

/** A process that does nothing but read files. */
export interface RunningWorker {
  /** Files read at the same time. */
  readonly workers: number;
  readonly dataDirectory: string;
  /** Gives back what it does not finish within seconds, and disconnects. */
  close(): Promise<void>;
}

/**
 * Begins to read files for all web processes on the same Redis and data directory.
 *
 * @throws {StartError} In memory, where tasks cannot reach another process, and with `OCR_WORKERS=0`. As
 * `readSettings` and `openState` for a bad variable.
 */
export async function runWorker(environment: Environment): Promise<RunningWorker> {
  const settings = readSettings(environment);
  const { workers } = settings;
  if (workers === 0)
    throw new StartError('OCR_WORKERS=0 leaves a worker nothing to do; set it to 1 or more, or unset it.');
  const dataDirectory = join(environment['DATA_DIR'] || '.data', 'ocr');
  const files = await openFileStore(dataDirectory);
  const state = await openOcrState((options) => openState({ environment, ...options }), settings, dataDirectory);
  if (state.shared.status().kind === 'memory') {
    await state.shared.close();
    throw new StartError('A worker of its own needs a Redis that it shares with the web processes: set REDIS_URL.');
  }
  const worker = startScanWorker(state, files, workers);
  return {
    workers,
    dataDirectory,
    async close(): Promise<void> {
      await worker.close();
      await state.shared.close();
    },
  };
}
