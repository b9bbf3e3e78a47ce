import type { Location } from 'commonhold';

/**
 * The location in what a client sent; other properties do not matter. Otherwise a sentence on what is wrong with it.
 */
export function readLocation(value: unknown): Location | string {
  if (typeof value !== 'object' || value === null) return 'expected {latitude,longitude}';
  const { latitude, longitude } = value as { readonly latitude?: unknown; readonly longitude?: unknown };
  if (!isBetween(latitude, -90, 90)) return 'latitude: expected a number from -90 to 90';
  if (!isBetween(longitude, -180, 180)) return 'longitude: expected a number from -180 to 180';
  return { latitude, longitude };
}

function isBetween(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
