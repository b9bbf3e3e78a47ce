import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../../../src/testing/free-port.js';

/** A name under which different servers can be found, as behind a managed Redis that fails over. */
export interface Switchboard extends AsyncDisposable {
  readonly port: number;
  /** Port of the server that new connections reach. */
  target: number;
  /** Sends bytes to every client, in the middle of whatever the server says. */
  inject(bytes: string): void;
}

export async function startSwitchboard(target: number): Promise<Switchboard> {
  const clients = new Set<Socket>();
  const port = await freePort();
  const board: Switchboard = {
    port,
    target,
    inject: (bytes) => clients.forEach((client) => client.write(bytes)),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
  const listener = createServer((client) => {
    const server = connect(board.target, '127.0.0.1');
    clients.add(client);
    client.pipe(server).pipe(client);
    client.on('error', () => undefined).on('close', () => void (clients.delete(client), server.destroy()));
    server.on('error', () => undefined).on('close', () => client.destroy());
  });
  await once(listener.listen(port, '127.0.0.1'), 'listening');
  return board;
}
