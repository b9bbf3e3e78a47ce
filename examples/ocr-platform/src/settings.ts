import { availableParallelism } from 'node:os';
import { type Environment, InvalidArgumentError } from 'commonhold';

/** What the environment may change. */
export interface Settings {
  /** Names of keys and channels that other programs may know. */
  readonly names: {
    readonly queue: string;
    readonly record: string;
    readonly stats: string;
    readonly notices: string;
    readonly session: string;
  };
  /** Files that this process reads at the same time; 0 for a process that leaves the reading to others. */
  readonly workers: number;
  /** Bound on the tasks that wait on the disk of this process while Redis is away; undefined for the library's. */
  readonly journalBytes: number | undefined;
}

const mostWorkers = 64;

/**
 * Reads the settings of the OCR platform. An empty variable is an unset one.
 *
 * @throws {InvalidArgumentError} Naming the variable, what was expected and what came.
 */
export function readSettings(environment: Environment): Settings {
  const name = (variable: string, standard: string): string => environment[variable] || standard;
  return {
    names: {
      queue: name('REDIS_TASK_QUEUE_PREFIX', 'ocr:task:queue'),
      record: name('REDIS_TASK_DATA_PREFIX', 'ocr:task:data'),
      stats: name('REDIS_STATS_PREFIX', 'ocr:stats'),
      notices: name('REDIS_PUBSUB_CHANNEL', 'ocr:notifications'),
      session: name('REDIS_SESSION_PREFIX', 'ocr:session'),
    },
    workers: readWorkers(environment['OCR_WORKERS']),
    journalBytes: readJournalBytes(environment['OCR_JOURNAL_BYTES']),
  };
}

function readWorkers(text: string | undefined): number {
  // One core is left for the event loop and Redis.
  if (text === undefined || text === '') return Math.max(1, availableParallelism() - 1);
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (workers <= mostWorkers) return workers;
  throw new InvalidArgumentError('Environment variable OCR_WORKERS', `a whole number from 0 to ${mostWorkers}`, text);
}

function readJournalBytes(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Environment variable OCR_JOURNAL_BYTES', 'a whole number of bytes', text);
}
