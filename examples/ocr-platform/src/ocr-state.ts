import type { OpenOptions, Queue, RateLimit, Sessions, SharedState } from 'commonhold';
import { join } from 'node:path';
import type { Account, Accounts } from './accounts/accounts.js';
import { openMapAccounts } from './accounts/map-accounts.js';
import type { Settings } from './settings.js';

/** What a session carries beside its user's id. */
export interface SessionData {
  readonly email: string;
  readonly role: string;
}

/** A file to read, and whose it is. Its fields stand in the task's hash by these names. */
export interface ScanJob {
  readonly user_id: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly file_id: string;
}

/** What was read. */
export interface Scan {
  readonly text: string;
  /** 0 to 100. */
  readonly confidence: number;
}

/** All that the processes of the OCR platform share, files aside. */
export interface OcrState {
  readonly accounts: Accounts;
  readonly sessions: Sessions<SessionData>;
  readonly tasks: Queue<ScanJob, Scan>;
  readonly logins: RateLimit;
  readonly shared: SharedState;
}

/** A session ends this long after login, however much it is used. */
export const sessionLifetimeMs: number = 7 * 86_400_000;

/**
 * Opens the shared state under the documented names.
 *
 * @param dataDirectory where tasks wait for a Redis that is away, beside the files that they are about. Default: they are refused
 */
export async function openOcrState(
  open: (options: OpenOptions & { readonly namespace: string }) => Promise<SharedState>,
  { names, journalBytes }: Settings,
  dataDirectory?: string,
): Promise<OcrState> {
  const journal = {
    ...(dataDirectory !== undefined && { file: join(dataDirectory, 'journal') }),
    ...(journalBytes !== undefined && { maxFileBytes: journalBytes }),
  };
  const shared = await open({ namespace: 'ocr', journal });
  const { queue, record, stats, notices, session: prefix } = names;
  return {
    shared,
    // Who may log in is never told from memory.
    accounts: openMapAccounts(shared.map<Account>('accounts', { away: 'throw' })),
    sessions: shared.sessions<SessionData>('logins', {
      idle: '30m',
      absolute: sessionLifetimeMs,
      // For as long, /me can tell a session that was left idle from a token nobody issued.
      remember: '24h',
      maxPerUser: 1_000,
      prefix,
      // Who was here in the last quarter of an hour stays signed in while Redis is away for as long as a server takes to be
      // replaced. A logout at another process in that time is known here only when Redis is back: these are people's own scans.
      staleFor: '15m',
    }),
    tasks: shared.queue<ScanJob, Scan>('tasks', {
      documented: { queue, record, stats, notices },
      notices: true,
      keepCompleted: '24h',
      keepFailed: '24h',
    }),
    // Guessing passwords must not become easier while Redis is away.
    logins: shared.rateLimit('login', '10 per minute', { away: 'closed' }),
  };
}
