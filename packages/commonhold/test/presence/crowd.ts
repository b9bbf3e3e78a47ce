import { expect } from 'vitest';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { eventually } from '../../src/testing/waiting.js';
import type { CrowdProcess, useCrowd } from './crowd-processes.js';

/** How a crowd did. Times are in milliseconds. */
export interface CrowdFigures {
  readonly joinsPerSecond: number;
  /** Joins that were called again, since no answer came. */
  readonly unknown: number;
  readonly beatMs: number;
  readonly regionMs: number;
  readonly countMs: number;
  readonly bytesPerMember: number;
  /** From the kill until no reader sees a member of the dead process. */
  readonly unseenAfterMs: number;
  /** From the kill until every other process was told of every member that left. */
  readonly toldAfterMs: number;
}

/** The lease of a process and a beat of another, with room for a busy machine. */
const goneWithinMs = 20_000;
const toldWithinMs = 60_000;
const membersPerRegion = 50;

/**
 * Four processes of `members` in all; one is killed with -9. Fails unless its members are gone for all readers, and told of
 * once each to all others.
 */
export async function crowd(
  server: RedisServer,
  start: ReturnType<typeof useCrowd>,
  members: number,
): Promise<CrowdFigures> {
  const names = ['a', 'b', 'c', 'd'];
  const processes = await Promise.all(names.map((name) => start(server.url, name)));
  const [dying, ...others] = processes as [CrowdProcess, ...CrowdProcess[]];
  await Promise.all(others.map((process) => process.subscribe()));
  const before = await usedMemory(server);
  const place = { count: members / names.length, regions: members / membersPerRegion };
  const joins = await Promise.all(processes.map((process) => process.join(place)));
  const bytesPerMember = ((await usedMemory(server)) - before) / members;
  const look = { ...place, times: 200 };
  const figures = {
    joinsPerSecond: (members * 1000) / Math.max(...joins.map(({ ms }) => ms)),
    unknown: joins.reduce((sum, { unknown }) => sum + unknown, 0),
    beatMs: Math.max(...(await Promise.all(processes.map((process) => process.beat())))),
    regionMs: await dying.region(look),
    countMs: await dying.count(look),
    bytesPerMember,
  };
  await eventually(async () => expect(await dying.total(place)).toBe(members), { timeoutMs: 10_000 });
  await Promise.all(others.map((process) => process.forget()));
  const killedAtMs = performance.now();
  dying.child.kill('SIGKILL');
  const within = { timeoutMs: goneWithinMs, everyMs: 100 };
  await eventually(async () => expect(await others[0]?.total(place)).toBe(members - place.count), within);
  const unseenAfterMs = performance.now() - killedAtMs;
  const expected = { left: place.count, leftBy: ['a'], twice: 0, resyncs: 0 };
  await eventually(
    async () => {
      for (const process of others) expect(await process.heard()).toEqual(expected);
    },
    { timeoutMs: toldWithinMs, everyMs: 100 },
  );
  return { ...figures, unseenAfterMs, toldAfterMs: performance.now() - killedAtMs };
}

async function usedMemory(server: RedisServer): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await server.command('INFO', 'memory')))?.[1]);
}
