import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports are taken from 12000 to 21999, below the range the system gives to outgoing connections. There, a client that
 * reconnects to a stopped server can be given the server's own port, connect to itself, and keep the server from coming
 * back. It also leaves room for a cluster bus, at 10,000 above.
 */
const firstPort = 12_000;
const lastPort = 21_999;

/** How far a cluster bus listens above its server's port. */
const busOffset = 10_000;

/** A port on 127.0.0.1 that nothing listened on a moment ago; the port 10,000 above is as free. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(firstPort, lastPort + 1);
    if ((await isFree(port)) && (await isFree(port + busOffset))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
