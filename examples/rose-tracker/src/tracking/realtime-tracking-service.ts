import { randomBytes } from 'node:crypto';
import type { PersistentData } from './persistent-data.js';
import { type HistoryEntry, historyEntry, withHistoryEntry, withNumberFor } from './persistent-record.js';
import { type RoseId, rosesAmong } from './rose-id.js';
import {
  type FrameOutcome,
  newSession,
  type SessionRecord,
  withFrame,
  withSettled,
  withStop,
} from './session-record.js';

/** The part of a shared map that is used here. */
export interface SessionMap {
  get(key: string): Promise<SessionRecord | undefined>;
  set(key: string, session: SessionRecord): Promise<void>;
  delete(key: string): Promise<boolean>;
  update(
    key: string,
    change: (session: SessionRecord | undefined) => SessionRecord | undefined,
  ): Promise<SessionRecord | undefined>;
}

/** What the service works on: the same shared by all workers, in memory or on Redis. */
export interface TrackingState {
  /** Sessions by id. An entry ends when no frame came for the time to live. */
  readonly activeSessions: SessionMap;
  readonly persistentData: PersistentData;
}

/** A session that has begun. */
export interface StartedSession {
  /** 32 hexadecimal digits. */
  readonly session_id: string;
  readonly session_number: number;
  /** Seconds since 1970. */
  readonly start_time: number;
}

/** What a frame is answered with: counts after it. */
export interface FrameCounts {
  readonly display_count: number;
  readonly frame_count: number;
  readonly session_unique_roses: number;
  readonly total_unique_roses: number;
}

/** Bytes of a session's id, so that nobody guesses one. */
const sessionIdBytes = 16;

/** Why a frame was not taken. */
export type FrameRefusal = Exclude<FrameOutcome, 'added' | 'repeated'> | 'absent';

/** What came of a frame. */
export type FrameAnswer =
  | { readonly outcome: 'added' | 'repeated'; readonly counts: FrameCounts }
  | { readonly outcome: FrameRefusal };

/**
 * Follows roses through the frames of cameras. Any number of workers may each have one of these on the same state, and
 * frames of one session may come to any of them at once.
 *
 * A frame and its ids enter the session's record in one write, the new ids also as `unsettled`. They leave that list when
 * the shared sets hold them, which comes before the answer. So a frame that was answered is counted everywhere, and one
 * that a crash left halfway is completed by its repetition, or at the latest when the session is stopped.
 */
export class RealtimeTrackingService {
  readonly #sessions: SessionMap;
  readonly #persistent: PersistentData;
  readonly #nowSeconds: () => number;

  /** @param nowSeconds the time, in seconds since 1970 with a fraction; for tests. */
  constructor(state: TrackingState, nowSeconds: () => number = () => Date.now() / 1_000) {
    this.#sessions = state.activeSessions;
    this.#persistent = state.persistentData;
    this.#nowSeconds = nowSeconds;
  }

  /** Begins a session with the next number. */
  async startSession(): Promise<StartedSession> {
    const id = randomBytes(sessionIdBytes).toString('hex');
    let number = 0;
    await this.#persistent.update((record) => {
      number = record.next_session_number;
      return withNumberFor(record, id);
    });
    const session = newSession(number, this.#nowSeconds());
    await this.#sessions.set(id, session);
    return { session_id: id, session_number: number, start_time: session.start_time };
  }

  /** The session of this id, undefined when there is none that runs. */
  async session(id: string): Promise<SessionRecord | undefined> {
    const session = await this.#sessions.get(id);
    return session?.stopped_at === undefined ? session : undefined;
  }

  /** Gives the session a frame in which these roses were seen. A frame number that it has had changes nothing. */
  async processFrame(id: string, frame: number, roses: readonly RoseId[]): Promise<FrameAnswer> {
    const { session, outcome } = await this.#addFrame(id, frame, roses);
    if (session === undefined) return { outcome: 'absent' };
    if (outcome !== 'added' && outcome !== 'repeated') return { outcome };
    const ours = outcome === 'added' ? rosesAmong(session.unsettled_roses, roses) : session.unsettled_roses;
    await this.#settle(id, session.session_number, ours);
    const counts = {
      display_count: session.display_count,
      frame_count: session.frame_count,
      session_unique_roses: session.session_unique_roses.length,
      total_unique_roses: await this.#persistent.get('total_unique_roses'),
    };
    return { outcome, counts };
  }

  /** Ends the session; undefined when there is none. Stopping it again gives the same entry, as long as that is kept. */
  async stopSession(id: string): Promise<HistoryEntry | undefined> {
    const session = await this.#sessions.update(id, (current) => current && withStop(current, this.#nowSeconds()));
    if (session === undefined) return this.#entryOf(id);
    await this.#persistent.addRoses(session.session_number, session.unsettled_roses);
    const entry = historyEntry(id, session);
    await this.#persistent.update((record) => withHistoryEntry(record, entry));
    // Only now: until the history has it, stopping it again finds it here.
    await this.#sessions.delete(id);
    return entry;
  }

  async #addFrame(
    id: string,
    frame: number,
    roses: readonly RoseId[],
  ): Promise<{ session: SessionRecord | undefined; outcome: FrameAnswer['outcome'] }> {
    let outcome: FrameAnswer['outcome'] = 'absent';
    const session = await this.#sessions.update(id, (current) => {
      outcome = 'absent';
      if (current === undefined || current.stopped_at !== undefined) return undefined;
      const next = withFrame(current, frame, roses, this.#nowSeconds());
      ({ outcome } = next);
      return next.outcome === 'added' ? next.session : undefined;
    });
    return { session, outcome };
  }

  async #settle(id: string, sessionNumber: number, roses: readonly RoseId[]): Promise<void> {
    if (roses.length === 0) return;
    await this.#persistent.addRoses(sessionNumber, roses);
    await this.#sessions.update(id, (current) => {
      const pending = current !== undefined && rosesAmong(current.unsettled_roses, roses).length > 0;
      return pending ? withSettled(current, roses) : undefined;
    });
  }

  async #entryOf(id: string): Promise<HistoryEntry | undefined> {
    const history = await this.#persistent.get('session_history');
    return history.find((entry) => entry.session_id === id);
  }
}
