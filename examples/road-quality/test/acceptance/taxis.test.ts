import { type RedisServer, startRedisServer, waitUntil } from 'commonhold/testing';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { connectTaxi, type Taxi } from '../../src/replay/taxi.js';
import type { TaxiPoint } from '../../src/replay/taxi-points.js';
import { type ServerProcess, startServerProcess } from './server-process.js';
import { collectedTaxis, trailOf } from './taxi-truth.js';

/** What a dead process's members may outlive it by. */
const leaseMs = 15_000;

/** Who is in which region, by user id, each list sorted; regions without anybody are left out. */
type Whereabouts = Record<string, string[]>;

function whereabouts(taxis: ReadonlyMap<string, readonly TaxiPoint[]>, only: (index: number) => boolean): Whereabouts {
  const truth: Whereabouts = {};
  for (const [index, [taxiId, points]] of [...taxis].entries()) {
    if (!only(index)) continue;
    const region = trailOf(points).at(-1) ?? '';
    truth[region] = [...(truth[region] ?? []), `taxi-${taxiId}`].toSorted();
  }
  return truth;
}

/** What a process says of these regions. */
async function asked(url: string, regionIds: Iterable<string>): Promise<Whereabouts> {
  const found: Whereabouts = {};
  const left = [...regionIds];
  const next = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const response = await fetch(`${url}/regions/${id}/members`);
      const { members } = (await response.json()) as { members: { userId: string; regionId: string }[] };
      for (const member of members) expect(member.regionId).toBe(id);
      if (members.length > 0) found[id] = members.map(({ userId }) => userId).toSorted();
    }
  };
  await Promise.all(Array.from({ length: 16 }, next));
  return found;
}

/** Counts what is heard about members of one area. */
class Watcher {
  readonly socket: Socket;
  readonly counts: Record<string, number> = {};

  constructor(url: string) {
    this.socket = io(`${url}/road`, { transports: ['websocket'], auth: { userId: 'watcher' }, forceNew: true });
    this.socket.onAny((event: string) => void (this.counts[event] = (this.counts[event] ?? 0) + 1));
  }

  async watch(areaId: string): Promise<void> {
    await this.socket.timeout(5_000).emitWithAck('watch', { areaIds: [areaId] });
  }
}

/** What a watcher of `areaId` is to hear when every taxi drives its whole way. */
function expectedCounts(trails: readonly string[][], areaId: string): Record<string, number> {
  const isIn = (region: string | undefined): boolean => region?.startsWith(areaId) ?? false;
  const joined = trails.filter(([first]) => isIn(first)).length;
  const moved = trails.flatMap((trail) => trail.slice(1).filter((to, index) => isIn(to) || isIn(trail[index])));
  return { member_joined: joined, member_moved: moved.length };
}

describe('a day of taxis in two processes', () => {
  const servers: ServerProcess[] = [];
  const taxis: Taxi[] = [];
  const watchers: Watcher[] = [];
  let redis: RedisServer | undefined;

  afterEach(async () => {
    for (const { socket } of watchers.splice(0)) socket.disconnect();
    for (const taxi of taxis.splice(0)) taxi.close();
    await Promise.all(servers.splice(0).map((server) => server.end('SIGKILL')));
    await redis?.stop();
  });

  it(
    'S3.4, S3.9, S3.12: are where the file says, and those of a killed process are gone in 15 s',
    { timeout: 120_000 },
    async () => {
      redis = await startRedisServer({ args: ['--maxmemory', '256mb'] });
      for (const _of of [1, 2]) servers.push(await startServerProcess({ REDIS_URL: redis.url }));
      const urls = servers.map(({ url }) => url);
      const [first = '', second = ''] = urls;

      // All points: 20,188 of 475 taxis, as fast as the answers come.
      const all = await collectedTaxis();
      const trails = [...all.values()].map(trailOf);
      const regions = new Set(trails.flat());
      const areaId = busiestArea(trails);
      for (const url of urls) {
        const watcher = new Watcher(url);
        watchers.push(watcher);
        await watcher.watch(areaId);
      }

      const startedAtMs = performance.now();
      await Promise.all(
        [...all].map(async ([taxiId, points], index) => {
          const taxi = await connectTaxi(urls[index % 2] ?? '', taxiId);
          taxis.push(taxi);
          let at = '';
          for (const point of points) at = await taxi.move(point);
          expect(at).toBe(trailOf(points).at(-1));
        }),
      );
      const droveMs = performance.now() - startedAtMs;

      const truth = whereabouts(all, () => true);
      for (const url of urls) expect(await asked(url, regions)).toEqual(truth);
      const expected = expectedCounts(trails, areaId);
      for (const { counts } of watchers) {
        await waitUntil('all events to be heard', () => counts['member_moved'] === expected['member_moved'], {
          timeoutMs: 10_000,
        });
        expect(counts).toEqual(expected);
      }

      expect(await slowestStepUs(redis)).toBeLessThan(1_000);

      const survivors = whereabouts(all, (index) => index % 2 === 1);
      const places = Object.keys(truth);
      const killedAtMs = performance.now();
      await servers[0]?.end('SIGKILL');
      await waitUntil(
        'the members of the killed process to go',
        async () => JSON.stringify(sorted(await asked(second, places))) === JSON.stringify(sorted(survivors)),
        { timeoutMs: leaseMs, everyMs: 250 },
      );
      const goneMs = performance.now() - killedAtMs;
      const leaving = Object.entries(truth).flatMap(([region, users]) =>
        region.startsWith(areaId) ? users.filter((user) => !(survivors[region] ?? []).includes(user)) : [],
      );
      const counts = watchers[1]?.counts ?? {};
      await waitUntil('every end to be heard', () => counts['member_left'] === leaving.length, { timeoutMs: leaseMs });
      expect(first).not.toBe(second);
      console.log(
        `${all.size} taxis, ${[...all.values()].flat().length} points, ${regions.size} regions in ${Math.round(droveMs)} ms; ` +
          `the dead were gone after ${Math.round(goneMs)} ms`,
      );
    },
  );
});

/** The mean time that the server takes for one of the steps above. */
async function slowestStepUs(server: RedisServer): Promise<number> {
  const stats = String(await server.command('INFO', 'commandstats'));
  const means = stats.matchAll(/cmdstat_(?:evalsha|zrange|hget)[^\n]*usec_per_call=([\d.]+)/g);
  const times = Array.from(means, ([, mean]) => Number(mean));
  expect(times.length).toBeGreaterThan(0);
  return Math.max(...times);
}

function busiestArea(trails: readonly string[][]): string {
  const visits = new Map<string, number>();
  for (const region of trails.flat()) visits.set(region.slice(0, 4), (visits.get(region.slice(0, 4)) ?? 0) + 1);
  return [...visits].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

function sorted(places: Whereabouts): [string, string[]][] {
  return Object.entries(places).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
