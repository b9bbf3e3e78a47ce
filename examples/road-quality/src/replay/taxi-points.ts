import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Location } from 'commonhold';

/** Where a taxi was at a time. */
export interface TaxiPoint extends Location {
  readonly taxiId: string;
  /** Milliseconds; only differences mean something, for the file says local time. */
  readonly timeMs: number;
}

/**
 * Reads `longitude,latitude,timestamp,name_id` lines below a line of headings, compressed with xz, in the order of time;
 * points of the same time stay in the file's order. Node has no xz, so the machine's program of that name is run.
 *
 * @throws {Error} When there is no `xz`, it fails, or a line reads otherwise.
 */
export async function readTaxiPoints(path: string): Promise<TaxiPoint[]> {
  const child = spawn('xz', ['--decompress', '--stdout', '--', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const points: TaxiPoint[] = [];
  let number = 0;
  for await (const line of createInterface(child.stdout)) {
    number++;
    if (number > 1 && line !== '') points.push(parsePoint(line, number));
  }
  const [status] = (await ended) as [number | null];
  if (status !== 0) throw new Error(`xz could not read ${path}`);
  return points.toSorted((a, b) => a.timeMs - b.timeMs);
}

/** The point in one line of the file. */
export function parsePoint(line: string, number: number): TaxiPoint {
  const [longitude = '', latitude = '', time = '', taxiId = ''] = line.split(',');
  const timeMs = Date.parse(`${time.replace(' ', 'T')}Z`);
  const point = { taxiId, latitude: Number(latitude), longitude: Number(longitude), timeMs };
  const good =
    taxiId !== '' && latitude !== '' && longitude !== '' && Number.isFinite(point.latitude + point.longitude + timeMs);
  if (!good) throw new Error(`line ${number}: expected longitude,latitude,time,taxi`);
  return point;
}

/** The points of each taxi, in their order. */
export function byTaxi(points: readonly TaxiPoint[]): Map<string, TaxiPoint[]> {
  const taxis = new Map<string, TaxiPoint[]>();
  for (const point of points) {
    const own = taxis.get(point.taxiId);
    if (own === undefined) taxis.set(point.taxiId, [point]);
    else own.push(point);
  }
  return taxis;
}
