import type { RunOnce, SharedMap, SharedState } from 'commonhold';
import { containerOf, type Owned } from '../state-manager.js';
import type { WordTiming } from '../timing/word-timer.js';

/** The word timings of a track in a voice. */
export interface WordTimings extends Owned {
  readonly timings: readonly WordTiming[];
  /** Milliseconds since 1970. */
  readonly computed_at: number;
  /** How they were found. */
  readonly method: string;
  /** The state of the text they belong to. */
  readonly text_mtime_ns: bigint;
}

/** What computing gives. */
export type ComputedTimings = Pick<WordTimings, 'method' | 'timings'>;

/** Word timings, computed by one container for all. */
export class WordTimingCache {
  /** By `{track_id}:{voice_id}`. 24 hours. */
  readonly cache: SharedMap<WordTimings>;
  readonly #computing: RunOnce<WordTimings>;
  readonly #container: string;

  constructor(state: SharedState) {
    this.cache = state.map<WordTimings>('word-timings', { ttl: '24h' });
    // The result waits in the cache; here only for those who asked before it was there.
    this.#computing = state.runOnce<WordTimings>('word-timings', { keep: '1m' });
    this.#container = containerOf(state.owner);
  }

  /** The timings for this state of the text; where no container has them, one computes and the others wait. */
  async read(
    key: string,
    textMtimeNs: bigint,
    compute: (signal: AbortSignal) => Promise<ComputedTimings>,
  ): Promise<WordTimings> {
    const known = await this.cache.get(key);
    if (known?.text_mtime_ns === textMtimeNs) return known;
    return this.#computing.run(`${key}@${textMtimeNs}`, async ({ signal }) => {
      const computed = await compute(signal);
      const container_id = this.#container;
      const timings = { ...computed, computed_at: Date.now(), text_mtime_ns: textMtimeNs, container_id };
      await this.cache.set(key, timings);
      return timings;
    });
  }
}
