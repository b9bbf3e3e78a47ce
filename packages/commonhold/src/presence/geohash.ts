import ngeohash from 'ngeohash';
import { InvalidArgumentError } from '../errors.js';
import { checkLocation, type Location, type RegionMap } from './location.js';

export type { Location, RegionMap } from './location.js';

/**
 * A tenth of a micrometre, in degrees. A point on the edge of two cells belongs to the northern and eastern one, as in most
 * implementations; the package would give it to the other.
 */
const edge = 1e-12;

/** Options of {@link geohashRegions}. */
export interface GeohashOptions {
  /** Characters of a region's name, 1 to 12. Default 6: cells of about 1.2 km by 0.6 km at the equator. */
  readonly precision?: number;
}

/**
 * Regions that are the cells of the geohash grid, such as `ttngkc`, for the option `regions` of `state.presence`.
 *
 * A region has eight neighbours, across the 180th meridian too; at the poles it has five. `regionOf` throws
 * InvalidArgumentError for what is not on earth, `neighboursOf` for what is no geohash.
 *
 * @throws InvalidArgumentError for a precision that is not a whole number from 1 to 12.
 */
export function geohashRegions(options: GeohashOptions = {}): RegionMap {
  const precision = options.precision ?? 6;
  if (!(Number.isInteger(precision) && precision >= 1 && precision <= 12)) {
    throw new InvalidArgumentError('geohash precision', 'a whole number from 1 to 12', precision);
  }
  return {
    regionOf: (location) => regionOf(location, precision),
    neighboursOf,
  };
}

function regionOf(location: Location, precision: number): string {
  checkLocation('location', location);
  const { latitude, longitude } = location;
  return ngeohash.encode(Math.min(90, latitude + edge), Math.min(180, longitude + edge), precision);
}

function neighboursOf(region: string): readonly string[] {
  if (typeof region !== 'string' || !/^[0-9b-hjkmnp-z]{1,12}$/.test(region)) {
    throw new InvalidArgumentError('region', 'a geohash of 1 to 12 characters', region);
  }
  const around = new Set(ngeohash.neighbors(region));
  around.delete(region);
  return [...around];
}
