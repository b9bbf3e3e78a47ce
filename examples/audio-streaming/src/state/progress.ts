import type { SharedMap, SharedState } from 'commonhold';
import type { Owned } from '../state-manager.js';

/** Where a conversion stands. */
export type ConversionStatus = 'pending' | 'processing' | 'completed' | 'failed';

/** How far a conversion is. */
export interface SegmentProgress extends Owned {
  readonly voice_id: string;
  /** 0 until it is known. */
  readonly total_segments: number;
  readonly processed_segments: number;
  readonly status: ConversionStatus;
}

/** How far conversions are, for all containers. */
export class ProgressState {
  /**
   * By `{track_id}:voice:{voice_id}`, and by `{track_id}` for the conversion of the track that was heard of last. Two hours.
   */
  readonly segmentProgress: SharedMap<SegmentProgress>;

  constructor(state: SharedState) {
    this.segmentProgress = state.map<SegmentProgress>('segment-progress', { ttl: '2h' });
  }

  /** Notes how far a conversion is, under both of its keys. */
  note(trackId: string, progress: SegmentProgress): Promise<void> {
    return this.segmentProgress.setMany([
      [trackId, progress],
      [progressKey(trackId, progress.voice_id), progress],
    ]);
  }
}

/** The key of a conversion in `segmentProgress`. */
export function progressKey(trackId: string, voiceId: string): string {
  return `${trackId}:voice:${voiceId}`;
}
