import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Location } from 'commonhold';
import { byTaxi, readTaxiPoints, type TaxiPoint } from '../../src/replay/taxi-points.js';

const alphabet = '0123456789bcdefghjkmnpqrstuvwxyz';

/**
 * The geohash of 6 at a place, by rounding both coordinates to 15 bits and dealing the bits out; written for these tests,
 * to tell whether the library's is right.
 */
function geohashOf6({ latitude, longitude }: Location): string {
  const row = Math.min(2 ** 15 - 1, Math.floor(((latitude + 90) / 180) * 2 ** 15));
  const column = Math.min(2 ** 15 - 1, Math.floor(((longitude + 180) / 360) * 2 ** 15));
  let bits = '';
  for (let bit = 14; bit >= 0; bit--) bits += `${(column >> bit) & 1}${(row >> bit) & 1}`;
  const digits = bits.match(/.{5}/g) ?? [];
  return digits.map((digit) => alphabet[Number.parseInt(digit, 2)]).join('');
}

/**
 * The taxis of the data collection that may lie beside the repository.
 *
 * @throws {Error} When it is not there: a test that did not run is no success.
 */
export async function collectedTaxis(): Promise<Map<string, TaxiPoint[]>> {
  const name = 'shared/data/gps/wuxi-taxi.csv.xz';
  const path = fileURLToPath(new URL(`../../../../../${name}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`${name} is needed beside the repository`);
  return byTaxi(await readTaxiPoints(path));
}

/** The regions that somebody who is at these places in turn goes through; where it stays it is not named again. */
export function trailOf(places: readonly Location[]): string[] {
  const regions = places.map(geohashOf6);
  return regions.filter((region, index) => region !== regions[index - 1]);
}
