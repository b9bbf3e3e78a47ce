import type { Location } from 'commonhold';

/** What a client reports of the road. */
export interface Report extends Location {
  /** A UUID; the same one again is the same report again. */
  readonly observationId: string;
  readonly userId: string;
  /** 0 (no road left) to 100 (perfect); kept to a thousandth. */
  readonly quality: number;
}

/** A report as it is stored. */
export interface Observation extends Report {
  readonly segmentId: string;
  readonly regionId: string;
  /** ISO 8601, by the database's clock. */
  readonly observedAt: string;
}

/** What all reports of one road segment say together. */
export interface Segment {
  readonly segmentId: string;
  readonly regionId: string;
  /** The mean, 0 to 100, rounded to a thousandth. */
  readonly quality: number;
  /** How many reports it is the mean of. */
  readonly observations: number;
  readonly lastObservedAt: string;
}

/** The quality of a whole region. */
export interface RegionQuality {
  readonly regionId: string;
  readonly quality: number;
  readonly observations: number;
}
