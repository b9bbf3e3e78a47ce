import type { SharedMap, SharedState } from 'commonhold';
import { containerOf, type Owned } from '../state-manager.js';

/** How often a segment was asked for. */
export interface SegmentAccess extends Owned {
  readonly accesses: number;
  /** Milliseconds since 1970. */
  readonly last_accessed: number;
}

/** How a track is heard in one voice. */
export interface VoiceActivity {
  /** Accesses of all segments. */
  readonly accesses: number;
  /** Milliseconds since 1970; undefined when there was none. */
  readonly last_accessed: number | undefined;
  /** By segment, in the order of the stream. */
  readonly segments: readonly (SegmentAccess & { readonly segment_id: number })[];
}

/** Who hears what: accesses of segments in the last two hours, over all containers. */
export class VoiceAccessTracker {
  readonly #state: SharedState;
  readonly #container: string;

  constructor(state: SharedState) {
    this.#state = state;
    this.#container = containerOf(state.owner);
  }

  async recordSegmentAccess(trackId: string, voiceId: string, segmentId: number): Promise<void> {
    await this.#accesses(trackId, voiceId).update(String(segmentId), (known) => ({
      accesses: (known?.accesses ?? 0) + 1,
      last_accessed: Date.now(),
      container_id: this.#container,
    }));
  }

  async getVoiceActivity(trackId: string, voiceId: string): Promise<VoiceActivity> {
    const map = this.#accesses(trackId, voiceId);
    const segments: VoiceActivity['segments'][number][] = [];
    for await (const [key, value] of map) segments.push({ segment_id: Number(key), ...value });
    return {
      accesses: segments.reduce((sum, { accesses }) => sum + accesses, 0),
      last_accessed: segments.length === 0 ? undefined : Math.max(...segments.map((one) => one.last_accessed)),
      segments: segments.toSorted((a, b) => a.segment_id - b.segment_id),
    };
  }

  /** One map a voice of a track, so that it can be read without looking at the others. */
  #accesses(trackId: string, voiceId: string): SharedMap<SegmentAccess> {
    return this.#state.map<SegmentAccess>(`voice-access:${trackId}:${voiceId}`, { ttl: '2h' });
  }
}
