import { InvalidArgumentError } from '../errors.js';

/** A place on earth, in degrees. */
export interface Location {
  /** -90 to 90. */
  readonly latitude: number;
  /** -180 to 180. */
  readonly longitude: number;
}

/** Says which region a place is in, and which regions lie around a region. */
export interface RegionMap {
  readonly regionOf: (location: Location) => string;
  readonly neighboursOf: (region: string) => readonly string[];
}

/** @throws InvalidArgumentError naming `where`, for anything but two numbers within their bounds. */
export function checkLocation(where: string, location: Location): void {
  if (typeof location !== 'object' || location === null) {
    throw new InvalidArgumentError(where, 'an object with latitude and longitude', location);
  }
  checkDegrees(`${where}.latitude`, location.latitude, 90);
  checkDegrees(`${where}.longitude`, location.longitude, 180);
}

function checkDegrees(where: string, degrees: number, most: number): void {
  if (typeof degrees === 'number' && Math.abs(degrees) <= most) return;
  throw new InvalidArgumentError(where, `degrees from -${most} to ${most}`, degrees);
}
