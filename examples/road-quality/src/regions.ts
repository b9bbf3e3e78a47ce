import type { Location, RegionMap } from 'commonhold';
import { geohashRegions } from 'commonhold/geohash';

/** A region is a geohash of 6: about 1.2 by 0.6 km. */
export const regionLength = 6;
/** A road segment is a geohash of 8: about 38 by 19 m, a street's width and a few cars long. */
const segmentLength = 8;
/** What a map shows at a time is made of geohashes of 4: about 39 by 20 km. */
export const areaLength = 4;

/** The grid of regions, with their neighbours. */
export const regionMap: RegionMap = geohashRegions({ precision: regionLength });
const segmentMap = geohashRegions({ precision: segmentLength });

/** The region at `location`. */
export function regionOf(location: Location): string {
  return regionMap.regionOf(location);
}

/** The id of the road segment at `location`; the ids of its region and its area are its beginnings. */
export function segmentOf(location: Location): string {
  return segmentMap.regionOf(location);
}

/** The area that a region lies in. */
export function areaOf(regionId: string): string {
  return regionId.slice(0, areaLength);
}

/** Whether `value` is a geohash of `length`. */
export function isGeohash(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^[0-9b-hjkmnp-z]+$/.test(value);
}
