/**
 * `npm run replay -w examples/road-quality -- [file] [origin…]`: a day of real taxis as moving members, sixty times faster
 * than it was, spread over the servers named. Needs the machine's `xz`.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { regionOf } from './regions.js';
import { connectTaxi, type Taxi } from './replay/taxi.js';
import { byTaxi, readTaxiPoints } from './replay/taxi-points.js';

const faster = 60;
const beside = fileURLToPath(new URL('../../../../shared/data/gps/wuxi-taxi.csv.xz', import.meta.url));

const [file = beside, ...rest] = process.argv.slice(2);
const origins = rest.length > 0 ? rest : ['http://127.0.0.1:5000'];
if (!existsSync(file)) throw new Error(`${file} is missing. Give the path of wuxi-taxi.csv.xz.`);

const points = await readTaxiPoints(file);
const startMs = points[0]?.timeMs ?? 0;
const startedAtMs = performance.now();
console.log(`${byTaxi(points).size} taxis, ${points.length} points, to ${origins.join(', ')}`);

const taxis = new Map<string, Promise<Taxi>>();
let moves = 0;
for (const point of points) {
  const dueMs = (point.timeMs - startMs) / faster - (performance.now() - startedAtMs);
  if (dueMs > 0) await sleep(dueMs);
  const taxi = taxis.get(point.taxiId) ?? connectTaxi(origins[taxis.size % origins.length] ?? '', point.taxiId);
  taxis.set(point.taxiId, taxi);
  await (await taxi).move(point);
  moves++;
  if (moves % 500 === 0) {
    console.log(
      `${new Date(point.timeMs).toISOString().slice(11, 16)}  ${moves} moves, the last to ${regionOf(point)}`,
    );
  }
}
console.log(`all ${moves} moves made; the taxis stay until Ctrl-C`);
