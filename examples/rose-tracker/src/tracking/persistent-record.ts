import type { SessionRecord } from './session-record.js';

/** A session that was stopped, as the history keeps it. Times are seconds since 1970, with a fraction. */
export interface HistoryEntry {
  readonly session_id: string;
  readonly session_number: number;
  readonly start_time: number;
  readonly end_time: number;
  /** Seconds from start to end. */
  readonly duration: number;
  readonly frame_count: number;
  /** Roses of the session, each once. */
  readonly unique_roses: number;
  /** What the display showed last. */
  readonly display_count: number;
}

/** What outlives sessions and is one JSON document; the sets of roses beside it are sets of the store. */
export interface PersistentRecord {
  /** The last stopped sessions, the latest last. */
  readonly session_history: readonly HistoryEntry[];
  /** The session that was begun last, null before the first. */
  readonly last_session_id: string | null;
  /** The number that the next session gets. */
  readonly next_session_number: number;
}

/** Stopped sessions that the history keeps. The whole document is rewritten whenever a session begins or stops. */
export const keptSessions = 200;

/** Before the first session. */
export const emptyPersistentRecord: PersistentRecord = {
  session_history: [],
  last_session_id: null,
  next_session_number: 1,
};

/** The record once `sessionId` has the number that was next. */
export function withNumberFor(record: PersistentRecord, sessionId: string): PersistentRecord {
  return { ...record, last_session_id: sessionId, next_session_number: record.next_session_number + 1 };
}

/** The record with the entry as the latest; one that is there already stays where it is. */
export function withHistoryEntry(record: PersistentRecord, entry: HistoryEntry): PersistentRecord {
  if (record.session_history.some(({ session_id }) => session_id === entry.session_id)) return record;
  return { ...record, session_history: [...record.session_history, entry].slice(-keptSessions) };
}

/** What the history keeps of a session that was stopped. */
export function historyEntry(sessionId: string, session: SessionRecord): HistoryEntry {
  const endTime = session.stopped_at ?? session.last_update;
  return {
    session_id: sessionId,
    session_number: session.session_number,
    start_time: session.start_time,
    end_time: endTime,
    duration: Math.round((endTime - session.start_time) * 1_000) / 1_000,
    frame_count: session.frame_count,
    unique_roses: session.session_unique_roses.length,
    display_count: session.display_count,
  };
}
