import { addFrame, type FrameRanges, holdsFrame } from './frame-ranges.js';
import { median } from './median.js';
import { distinctRoses, type RoseId, rosesBeyond } from './rose-id.js';

/** A session as the store keeps it, one JSON document. Times are seconds since 1970, with a fraction. */
export interface SessionRecord {
  readonly start_time: number;
  /** When the last frame came, or the session began. */
  readonly last_update: number;
  /** When `display_count` last became another number. */
  readonly last_count_update: number;
  /** Median of `frame_counts`, a whole number. */
  readonly display_count: number;
  /** Roses in each of the last ten frames that came, the latest last. */
  readonly frame_counts: readonly number[];
  /** All roses of the session, each once. */
  readonly session_unique_roses: readonly RoseId[];
  /** Different frames that came. */
  readonly frame_count: number;
  /** 1 for the first session of all. */
  readonly session_number: number;
  /** The frames that came, so that one which comes again changes nothing. */
  readonly frame_ranges: FrameRanges;
  /** Roses of the session that may not be in the shared totals yet. */
  readonly unsettled_roses: readonly RoseId[];
  /** When it was stopped; absent while it runs. */
  readonly stopped_at?: number;
}

/** What came of giving a session a frame. */
export type FrameOutcome = 'added' | 'repeated' | 'too many roses' | 'too many gaps';

/** Frame counts that the display is smoothed over. */
const smoothedFrames = 10;
/** Different roses of one session, so that its record stays small. */
export const mostRoses = 10_000;
/** Ranges of frames of one session: one more than the gaps it may have. */
export const mostRanges = 2_000;

/** A session that begins now. */
export function newSession(sessionNumber: number, nowSeconds: number): SessionRecord {
  return {
    start_time: nowSeconds,
    last_update: nowSeconds,
    last_count_update: nowSeconds,
    display_count: 0,
    frame_counts: [],
    session_unique_roses: [],
    frame_count: 0,
    session_number: sessionNumber,
    frame_ranges: [],
    unsettled_roses: [],
  };
}

/** The session after a frame in which these roses were seen. It is the same object unless the outcome is `added`. */
export function withFrame(
  session: SessionRecord,
  frame: number,
  roses: readonly RoseId[],
  nowSeconds: number,
): { readonly session: SessionRecord; readonly outcome: FrameOutcome } {
  if (holdsFrame(session.frame_ranges, frame)) return { session, outcome: 'repeated' };
  const seen = distinctRoses(roses);
  const fresh = rosesBeyond(seen, session.session_unique_roses);
  const unique = [...session.session_unique_roses, ...fresh];
  const ranges = addFrame(session.frame_ranges, frame);
  if (unique.length > mostRoses) return { session, outcome: 'too many roses' };
  if (ranges.length > mostRanges) return { session, outcome: 'too many gaps' };
  const next = {
    ...withCount(session, seen.length, nowSeconds),
    session_unique_roses: unique,
    frame_count: session.frame_count + 1,
    frame_ranges: ranges,
    unsettled_roses: [...session.unsettled_roses, ...fresh],
  };
  return { session: next, outcome: 'added' };
}

function withCount(session: SessionRecord, count: number, nowSeconds: number): SessionRecord {
  const frameCounts = [...session.frame_counts, count].slice(-smoothedFrames);
  const displayCount = median(frameCounts);
  // Frames come through several machines, whose clocks differ; time does not go back in a record.
  const now = Math.max(nowSeconds, session.last_update);
  return {
    ...session,
    frame_counts: frameCounts,
    display_count: displayCount,
    last_update: now,
    last_count_update: displayCount === session.display_count ? session.last_count_update : now,
  };
}

/** The session once these roses are in the shared totals. */
export function withSettled(session: SessionRecord, roses: readonly RoseId[]): SessionRecord {
  return { ...session, unsettled_roses: rosesBeyond(session.unsettled_roses, roses) };
}

/** The session after its end; one that ended before stays as it was. */
export function withStop(session: SessionRecord, nowSeconds: number): SessionRecord {
  if (session.stopped_at !== undefined) return session;
  return { ...session, stopped_at: Math.max(nowSeconds, session.last_update) };
}
