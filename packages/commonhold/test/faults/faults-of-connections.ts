import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { waitUntil } from '../../src/testing/waiting.js';
import type { PassingFault } from './fault.js';
import { appUser, canaryPassword, type FaultWorld } from './fault-world.js';
import { PartitionedQueueProbe } from './probes/partitioned-queue-probe.js';
import { away, flapping, unaffected } from './rows.js';

/** What happens on the way to the server. */
export const faultsOfConnections: readonly PassingFault[] = [
  {
    id: 'F05',
    title: 'answers are lost',
    how: 'the proxy lets a request through and resets its connection in place of the answer, every 200 ms',
    lastsMs: 2_500,
    expected: flapping,
    inject: ({ repeat, proxy }) => repeat(200, () => proxy.dropReplyThenReset()),
    heal: ({ proxy }) => proxy.pass(),
  },
  {
    id: 'F06',
    title: 'half-open connection',
    how: 'the proxy passes nothing on and closes nothing',
    lastsMs: 3_500,
    reach: 'none',
    expected: away,
    inject: ({ proxy }) => proxy.blackhole(),
    heal: ({ proxy }) => proxy.pass(),
  },
  {
    id: 'F07',
    title: '200 ms of latency',
    how: 'the proxy delays each direction by 100 ms',
    lastsMs: 2_500,
    // Beyond the deadline of a cache.
    expected: { ...unaffected, CA: 'OK ST LD > OK' },
    inject: ({ proxy }) => proxy.delay(100),
    heal: ({ proxy }) => proxy.pass(),
  },
  {
    id: 'F08',
    title: 'a reader that never reads',
    how: 'a connection that subscribes to everything and takes nothing, and 200 that send a byte now and then',
    lastsMs: 2_000,
    expected: unaffected,
    inject: slowClients,
    heal: () => undefined,
  },
  {
    id: 'F30',
    title: 'reconnect storm',
    how: '1,000 connections besides, and all of the subject reset every 300 ms',
    lastsMs: 2_500,
    expected: flapping,
    inject: async (world) => {
      await connectMany(world, 1_000);
      world.repeat(300, () => world.proxy.reset());
    },
    heal: ({ proxy, sightings }) => {
      const { open } = proxy.connections;
      if (open > 3) sightings.wrong('PS', `${open} connections are open for one process`);
    },
  },
  {
    id: 'F31',
    title: 'partition of a worker',
    how: 'the proxy goes dark for longer than the lease of a job',
    lastsMs: 7_000,
    reach: 'none',
    probes: { QU: PartitionedQueueProbe },
    expected: { ...away, QU: 'UN > OK LE TK' },
    inject: ({ proxy }) => proxy.blackhole(),
    heal: ({ proxy }) => proxy.pass(),
  },
  {
    id: 'F32',
    title: 'gaps in pub/sub',
    how: 'connections are half-closed and reset in turn, every 150 ms',
    lastsMs: 2_500,
    expected: flapping,
    inject: ({ repeat, proxy }) => {
      let turn = 0;
      repeat(150, () => ((turn += 1) % 2 === 0 ? proxy.reset() : proxy.halfClose()));
    },
    heal: ({ proxy }) => proxy.pass(),
  },
  {
    id: 'F35',
    title: 'user is deleted',
    how: '`ACL DELUSER` of the user of the states, which comes back later',
    lastsMs: 2_500,
    reach: 'none',
    expected: away,
    inject: async ({ server }) => void (await server.command('ACL', 'DELUSER', appUser)),
    heal: async ({ server }) =>
      void (await server.command('ACL', 'SETUSER', appUser, 'on', `>${canaryPassword}`, '~*', '&*', '+@all')),
  },
  {
    id: 'F36',
    title: 'no connection to be had',
    how: '`CONFIG SET maxclients` below what is connected, and the connections of the subject reset',
    lastsMs: 2_500,
    reach: 'none',
    expected: away,
    inject: async (world) => {
      await connectMany(world, 5);
      await world.server.command('CONFIG', 'SET', 'maxclients', '3');
      world.proxy.reset();
    },
    heal: async ({ server }) => void (await server.command('CONFIG', 'SET', 'maxclients', '10000')),
  },
  {
    id: 'F37',
    title: 'the nth request fails',
    how: 'the connection is reset at its 1st, 2nd, 3rd ... request, for each n to 25',
    lastsMs: 3_500,
    expected: flapping,
    inject: ({ proxy }) => {
      let [nth, seen] = [0, 0];
      proxy.onRequest = () => {
        seen += 1;
        if (seen <= nth || nth >= 25) return 'pass';
        [nth, seen] = [nth + 1, 0];
        return 'reset';
      };
    },
    heal: ({ proxy }) => void (proxy.onRequest = undefined),
  },
];

async function connectMany({ server, defer }: FaultWorld, count: number): Promise<void> {
  const sockets: Socket[] = [];
  defer(() => sockets.forEach((socket) => socket.destroy()));
  for (let n = 0; n < count; n += 1) {
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    if (n % 100 === 99) await once(socket, 'connect');
  }
  await waitUntil('all to be connected', async () => {
    const clients = String(await server.command('INFO', 'clients'));
    return Number(/connected_clients:(\d+)/.exec(clients)?.[1]) > count;
  });
}

async function slowClients({ server, defer, repeat }: FaultWorld): Promise<void> {
  const deaf = connect(server.port, '127.0.0.1').on('error', () => undefined);
  deaf.write('*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n');
  deaf.pause();
  const slow = Array.from({ length: 200 }, () => connect(server.port, '127.0.0.1').on('error', () => undefined));
  defer(() => [deaf, ...slow].forEach((socket) => socket.destroy()));
  repeat(100, () => slow.forEach((socket) => socket.write('*')));
}
