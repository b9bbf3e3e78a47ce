import { isCommonholdError, type SharedMap, type SharedState } from 'commonhold';
import { areaOf } from './regions.js';

/** How long a region is listed after the last sign of somebody there. */
const listed = '1h';
/** Signs of one region within this time are noted once. */
const noteEveryMs = 600_000;
/** A bound on memory; whatever is forgotten is noted again. */
const mostRemembered = 10_000;
const pageSize = 1_000;

/** Where somebody was within the hour, by area: what presence itself, asked by region, cannot tell. */
export class VisitedRegions {
  readonly #state: SharedState;
  readonly #notedAtMs = new Map<string, number>();

  constructor(state: SharedState) {
    this.#state = state;
  }

  /** Notes that somebody is in `regionId`; while the store is away, the next sign does. */
  async note(regionId: string): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - (this.#notedAtMs.get(regionId) ?? -Infinity) < noteEveryMs) return;
    if (this.#notedAtMs.size >= mostRemembered) this.#notedAtMs.clear();
    this.#notedAtMs.set(regionId, nowMs);
    try {
      await this.#map(areaOf(regionId)).set(regionId, true);
    } catch (error) {
      this.#notedAtMs.delete(regionId);
      if (!isCommonholdError(error)) throw error;
    }
  }

  /** The regions of an area that are listed: at most 1,024. */
  async list(areaId: string): Promise<string[]> {
    const found = new Set<string>();
    for await (const regionId of this.#map(areaId).keys({ pageSize })) found.add(regionId);
    return [...found];
  }

  #map(areaId: string): SharedMap<true> {
    return this.#state.map<true>(`visited:${areaId}`, { ttl: listed });
  }
}
