import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RespConnection } from '../../src/testing/resp-connection.js';
import { waitUntil } from '../../src/testing/waiting.js';
import type { PassingFault } from './fault.js';
import type { FaultWorld } from './fault-world.js';
import { away, readOnly } from './rows.js';

const loading = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'];

/** A server that answers, and refuses. */
export const faultsOfRefusal: readonly PassingFault[] = [
  {
    id: 'F09',
    title: 'out of memory',
    how: '`CONFIG SET maxmemory 1` with noeviction',
    lastsMs: 2_000,
    reach: 'reads',
    // Holders renew their locks, and claims and ends of jobs need no memory.
    expected: { ...readOnly, CA: 'OK LD > OK LD', LO: 'UN EX > OK' },
    inject: async ({ server }) => void (await server.command('CONFIG', 'SET', 'maxmemory', '1')),
    heal: async ({ server }) => void (await server.command('CONFIG', 'SET', 'maxmemory', '0')),
  },
  {
    id: 'F13',
    title: 'replica in place of the master',
    how: '`REPLICAOF` on the live master, then `REPLICAOF NO ONE`',
    lastsMs: 3_000,
    reach: 'none',
    expected: away,
    inject: async ({ server }) => void (await server.command('REPLICAOF', '127.0.0.1', '1')),
    heal: async ({ server }) => void (await server.command('REPLICAOF', 'NO', 'ONE')),
  },
  {
    id: 'F18a',
    title: 'loading its data',
    how: 'SIGKILL, and a restart that takes 3 s for 3,000 keys (`key-load-delay`)',
    world: { server: { args: loading } },
    lastsMs: 2_500,
    reach: 'none',
    expected: away,
    inject: async ({ server, defer }) => {
      await server.command('DEBUG', 'POPULATE', '3000');
      await server.command('SAVE');
      const restarted = server.restart();
      defer(() => restarted.catch(() => undefined));
    },
    heal: ({ server }) =>
      waitUntil('the data to be loaded', () =>
        server.command('PING').then(
          (reply) => reply === 'PONG',
          () => false,
        ),
      ),
  },
  {
    id: 'F18b',
    title: 'busy with a script',
    how: 'an endless script, `busy-reply-threshold 200`, then `SCRIPT KILL`',
    world: { server: { args: ['--busy-reply-threshold', '200'] } },
    lastsMs: 3_000,
    reach: 'none',
    // An add that waits is taken when the script is killed.
    expected: { ...away, QU: 'UN OK > OK LE' },
    inject: endlessScript,
    heal: async ({ server }) => void (await server.command('SCRIPT', 'KILL')),
  },
  {
    id: 'F18c',
    title: 'cannot save to disk',
    world: { server: { args: ['--enable-protected-configs', 'yes'] } },
    how: '`BGSAVE` onto a folder, so that writes are refused with MISCONF',
    lastsMs: 2_500,
    reach: 'reads',
    expected: { ...readOnly, SE: 'OK ST UN BU > OK', LO: 'UN LE > OK LE TK', QU: 'UN > OK LE' },
    inject: failToSave,
    heal: async ({ server }) => void (await server.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')),
  },
];

async function endlessScript({ server, defer }: FaultWorld): Promise<void> {
  const connection = await RespConnection.open(server.port);
  defer(() => connection.close());
  connection.send('EVAL', 'while true do end', '0').catch(() => undefined);
}

async function failToSave({ server, defer }: FaultWorld): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'commonhold-unsaved-'));
  defer(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'dump.rdb', 'full'), { recursive: true });
  await server.command('CONFIG', 'SET', 'save', '3600 1');
  await server.command('CONFIG', 'SET', 'dir', dir);
  await server.command('BGSAVE');
  await waitUntil('the save to fail', async () =>
    String(await server.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
  );
}
