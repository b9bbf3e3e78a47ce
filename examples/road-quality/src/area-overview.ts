import type { Cache } from 'commonhold';
import type { RoadStore } from './observations/road-store.js';
import type { RoadState } from './road-state.js';

/** A region as a map shows it. */
export interface RegionOverview {
  readonly regionId: string;
  /** Members that are there now, over all processes. */
  readonly members: number;
  /** The mean of all reports, 0 to 100; null without any. */
  readonly quality: number | null;
  readonly observations: number;
}

/** Regions where somebody was within the hour, or of which something is known. */
export interface AreaOverview {
  readonly areaId: string;
  readonly regions: readonly RegionOverview[];
}

/** What a map shows of areas: geohashes of 4. */
export class AreaOverviews {
  readonly #state: RoadState;
  readonly #store: RoadStore | undefined;
  readonly #overviews: Cache<AreaOverview>;

  constructor(state: RoadState, store: RoadStore | undefined) {
    this.#state = state;
    this.#store = store;
    this.#overviews = state.shared.cache<AreaOverview>('overviews', { ttl: '2s' });
  }

  /** Computed once in two seconds for all who ask. */
  read(areaId: string): Promise<AreaOverview> {
    return this.#overviews.getOrSet(areaId, () => this.#compute(areaId));
  }

  async #compute(areaId: string): Promise<AreaOverview> {
    const [known, visited] = await Promise.all([this.#store?.regions(areaId) ?? [], this.#state.visited.list(areaId)]);
    const counts = await Promise.all(visited.map((regionId) => this.#state.presence.count(regionId)));
    const regions = new Map<string, RegionOverview>(
      known.map(({ regionId, quality, observations }) => [regionId, { regionId, members: 0, quality, observations }]),
    );
    for (const [index, regionId] of visited.entries()) {
      const region = regions.get(regionId) ?? { regionId, quality: null, observations: 0 };
      regions.set(regionId, { ...region, members: counts[index] ?? 0 });
    }
    return { areaId, regions: [...regions.values()] };
  }
}
