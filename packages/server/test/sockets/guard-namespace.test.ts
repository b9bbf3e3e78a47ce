import { eventually } from 'commonhold/testing';
import { io, type Socket as ClientSocket } from 'socket.io-client';
import type { Namespace, Socket } from 'socket.io';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SystemHost } from '../../src/system.js';
import { LogLines, serve } from '../serving.js';
import { tinySystem } from '../tiny-system.js';

/** A client of a namespace that `prepare` made, and the log of the server. */
async function connect(prepare: (namespace: Namespace) => void): Promise<{ client: ClientSocket; log: LogLines }> {
  const log = new LogLines();
  const onMount = ({ sockets }: SystemHost): void => prepare(sockets.of('/tiny'));
  const { url } = await serve([tinySystem({ onMount })], { logStream: log });
  const client = io(`${url}/tiny`, { transports: ['websocket'], reconnection: false });
  onTestFinished(() => void client.disconnect());
  return { client, log };
}

function failures(log: LogLines): unknown[] {
  return log
    .records()
    .filter(({ msg }) => msg === 'a socket listener failed')
    .map(({ err, namespace, level }) => ({ message: (err as Error).message, namespace, level }));
}

/** A listener that fails in each way. */
const failing: readonly [string, () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('no luck');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no luck'))],
];

describe('a socket listener that fails', () => {
  it.each(failing)('is logged and ends neither the process nor the connection when it %s', async (_way, fail) => {
    const { client, log } = await connect((namespace) =>
      namespace.on('connection', (socket: Socket) => void socket.on('fail', fail)),
    );
    client.emit('fail');
    expect(await client.emitWithAck('echo', 1)).toBe(1);
    await eventually(() => expect(failures(log)).toEqual([{ message: 'no luck', namespace: '/tiny', level: 50 }]));
  });

  it.each(failing)('may be the one for connections: it %s', async (_way, fail) => {
    const { client, log } = await connect((namespace) => namespace.on('connection', fail));
    expect(await client.emitWithAck('echo', 1)).toBe(1);
    await eventually(() => expect(failures(log)).toHaveLength(1));
  });

  it.each(failing)('refuses the client when it is a middleware that %s', async (_way, fail) => {
    const { client, log } = await connect((namespace) => namespace.use(fail));
    const error = await new Promise<Error>((resolve) => client.once('connect_error', resolve));
    expect(error.message).toBe('This cannot be checked now; try again later');
    expect(failures(log)).toHaveLength(1);
  });

  it('does not take back what a middleware has answered', async () => {
    const { client, log } = await connect((namespace) =>
      namespace.use((_socket, next) => {
        next();
        throw new Error('too late');
      }),
    );
    expect(await client.emitWithAck('echo', 1)).toBe(1);
    expect(failures(log)).toHaveLength(1);
  });
});

describe('a guarded socket', () => {
  it('can be listened to once, and no longer, as any other', async () => {
    const heard: string[] = [];
    const once = (): unknown => heard.push('once');
    const never = (): unknown => heard.push('never');
    const twice = (): unknown => heard.push('twice');
    let counts: number[] = [];
    const { client } = await connect((namespace) =>
      namespace.on('connection', (socket: Socket) => {
        socket.once('news', once).on('news', twice).on('news', never).once('news', never);
        socket.off('news', never).removeListener('news', never);
        socket.on('count', () => (counts = [socket.listenerCount('news'), socket.listenerCount('other')]));
      }),
    );
    client.emit('news');
    client.emit('news');
    client.emit('count');
    expect(await client.emitWithAck('echo', 1)).toBe(1);
    expect(heard).toEqual(['once', 'twice', 'twice']);
    expect(counts).toEqual([1, 0]);
  });

  it('lets middleware refuse in its own words', async () => {
    const { client } = await connect((namespace) =>
      namespace.use((_socket, next) => next(new Error('Invalid session'))),
    );
    const error = await new Promise<Error>((resolve) => client.once('connect_error', resolve));
    expect(error.message).toBe('Invalid session');
  });
});
