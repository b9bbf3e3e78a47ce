import type { Database } from '../database/database.js';
import { regionLength, segmentOf } from '../regions.js';
import type { Observation, RegionQuality, Report, Segment } from './observation.js';

interface ObservationRow {
  readonly id: string;
  readonly user_id: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly quality: number;
  readonly segment_id: string;
  readonly observed_at: Date;
  readonly is_new: boolean;
}

interface SegmentRow {
  readonly segment_id: string;
  readonly quality: number;
  readonly observations: number;
  readonly last_observed_at: Date;
}

/** What became of a report. */
export interface Added {
  readonly observation: Observation;
  /** False when it had been stored before, and this changed nothing. */
  readonly isNew: boolean;
}

/**
 * One statement, so that a report and its share in the segment are there together or not at all, and a repeated one, which
 * inserts no row, adds nothing. The sum is exact: the order in which reports come does not matter.
 */
const addSql = `
  with added as (
    insert into road_observations (id, user_id, latitude, longitude, quality, segment_id)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (id) do nothing
    returning *
  ), folded as (
    insert into road_segments as segment (segment_id, observations, quality_sum, last_observed_at)
    select segment_id, 1, quality, observed_at from added
    on conflict (segment_id) do update set
      observations = segment.observations + 1,
      quality_sum = segment.quality_sum + excluded.quality_sum,
      last_observed_at = greatest(segment.last_observed_at, excluded.last_observed_at)
  ), stored as (
    select *, true as is_new from added
    union all
    select *, false as is_new from road_observations where id = $1
  )
  select id, user_id, latitude, longitude, quality::float8 as quality, segment_id, observed_at, is_new from stored`;

const segmentsSql = `
  select segment_id, round(quality_sum / observations, 3)::float8 as quality, observations::float8 as observations,
    last_observed_at
  from road_segments where segment_id >= $1 and segment_id < $2 order by segment_id`;

const regionsSql = `
  select left(segment_id, ${regionLength}) as segment_id,
    round(sum(quality_sum) / sum(observations), 3)::float8 as quality, sum(observations)::float8 as observations
  from road_segments where segment_id >= $1 and segment_id < $2 group by 1 order by 1`;

/** Observations, and the road segments that they add up to. */
export class RoadStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Stores a report and folds it into its segment, once however often it is repeated. */
  async add(report: Report): Promise<Added> {
    const { observationId, userId, latitude, longitude, quality } = report;
    const values = [observationId, userId, latitude, longitude, quality.toFixed(3), segmentOf(report)];
    const [row] = await this.#database.query<ObservationRow>(addSql, values);
    // Another one stored it after this statement began, which then sees neither its own row nor the other one's.
    if (row === undefined) return this.add(report);
    return { observation: observationOf(row), isNew: row.is_new };
  }

  /** The segments of a region, by their ids: at most 1,024, for a region is divided into so many. */
  async segments(regionId: string): Promise<Segment[]> {
    const rows = await this.#database.query<SegmentRow>(segmentsSql, within(regionId));
    return rows.map(({ segment_id, quality, observations, last_observed_at }) => ({
      segmentId: segment_id,
      regionId,
      quality,
      observations,
      lastObservedAt: last_observed_at.toISOString(),
    }));
  }

  /** The regions of an area about which something is known: at most 1,024. */
  async regions(areaId: string): Promise<RegionQuality[]> {
    const rows = await this.#database.query<Omit<SegmentRow, 'last_observed_at'>>(regionsSql, within(areaId));
    return rows.map(({ segment_id, quality, observations }) => ({ regionId: segment_id, quality, observations }));
  }
}

/** The range of ids that begin so: `~` is above every character of a geohash. */
function within(prefix: string): [from: string, to: string] {
  return [prefix, `${prefix}~`];
}

function observationOf(row: ObservationRow): Observation {
  return {
    observationId: row.id,
    userId: row.user_id,
    latitude: row.latitude,
    longitude: row.longitude,
    quality: row.quality,
    segmentId: row.segment_id,
    regionId: row.segment_id.slice(0, regionLength),
    observedAt: row.observed_at.toISOString(),
  };
}
