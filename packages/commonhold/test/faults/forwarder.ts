import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../../src/testing/free-port.js';

/** An address behind which the server may change, as a floating address or a name does. */
export interface Forwarder {
  readonly port: number;
  /** Leads to another server from now on; what is connected is reset, as by a host that does not know the connection. */
  switch(port: number): void;
  stop(): void;
}

/** Starts one on `host`. */
export async function startForwarder(
  target: number,
  place: { readonly host?: string; readonly port?: number } = {},
): Promise<Forwarder> {
  const port = place.port ?? (await freePort());
  const sockets = new Set<Socket>();
  let current = target;
  const server = createServer((client) => {
    const upstream = connect(current, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay().pipe(other);
      one
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
    }
  });
  await once(server.listen(port, place.host ?? '127.0.0.1'), 'listening');
  return {
    port,
    switch: (next) => {
      current = next;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
