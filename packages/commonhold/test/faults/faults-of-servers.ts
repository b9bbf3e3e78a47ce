import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../../src/testing/waiting.js';
import type { PassingFault } from './fault.js';
import type { FaultWorld } from './fault-world.js';
import { away, awayAndEmpty, cutOff, emptied, evicted, unaffected } from './rows.js';

const kill = ({ server }: FaultWorld): Promise<void> => server.kill();
const restart = ({ server }: FaultWorld): Promise<void> => server.restart();

/** What happens to the server itself. */
export const faultsOfServers: readonly PassingFault[] = [
  {
    id: 'F01',
    title: 'kill -9, nothing on disk',
    how: 'SIGKILL, and a restart on the same port without data',
    lastsMs: 2_500,
    reach: 'none',
    loss: 'all',
    expected: awayAndEmpty,
    inject: kill,
    heal: restart,
  },
  {
    id: 'F02',
    title: 'power loss, log once a second',
    how: 'the append-only file is cut to its size of a second before, SIGKILL, restart',
    world: { server: { args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] } },
    lastsMs: 3_000,
    reach: 'all',
    loss: 'some',
    expected: cutOff,
    inject: loseTheLastSecond,
    heal: () => undefined,
  },
  {
    id: 'F03',
    title: 'down',
    how: 'the proxy refuses connections',
    lastsMs: 3_000,
    reach: 'none',
    expected: away,
    inject: ({ proxy }) => proxy.refuse(),
    heal: ({ proxy }) => proxy.pass(),
  },
  {
    id: 'F04',
    title: 'hang',
    how: 'SIGSTOP, then SIGCONT',
    lastsMs: 3_500,
    reach: 'none',
    expected: away,
    inject: ({ server }) => server.pause(),
    heal: ({ server }) => server.resume(),
  },
  {
    id: 'F10',
    title: 'live keys are evicted',
    how: '`maxmemory 16mb`, `allkeys-random`, and 60,000 keys of 1 KB besides',
    world: { server: { args: ['--maxmemory', '16mb', '--maxmemory-policy', 'allkeys-random'] } },
    lastsMs: 1_500,
    loss: 'some',
    expected: evicted,
    inject: async ({ server }) => void (await server.command('DEBUG', 'POPULATE', '60000', 'filler', '1000')),
    heal: async ({ server }) => void (await server.command('CONFIG', 'SET', 'maxmemory', '0')),
  },
  {
    id: 'F11',
    title: 'FLUSHALL',
    how: '`FLUSHALL` while everything is in use',
    lastsMs: 1_500,
    loss: 'all',
    expected: emptied,
    inject: async ({ server }) => void (await server.command('FLUSHALL')),
    heal: () => undefined,
  },
  {
    id: 'F12',
    title: 'scripts are forgotten',
    how: '`SCRIPT FLUSH` every 3 ms',
    lastsMs: 1_500,
    expected: unaffected,
    inject: ({ repeat, server }) => repeat(3, () => server.command('SCRIPT', 'FLUSH')),
    heal: () => undefined,
  },
];

/** Lets a second of use pass, and has the server come back without it. */
async function loseTheLastSecond(world: FaultWorld): Promise<void> {
  const { server } = world;
  const [, dir] = (await server.command('CONFIG', 'GET', 'dir')) as string[];
  const folder = join(String(dir), 'appendonlydir');
  const name = (await readdir(folder)).find((file) => file.endsWith('.incr.aof')) ?? '';
  const { size } = await stat(join(folder, name));
  void (async () => {
    await pause(1_000);
    await server.kill();
    await truncate(join(folder, name), size);
    await server.restart();
  })().catch((error: unknown) => world.sightings.wrong('CA', String(error)));
}
