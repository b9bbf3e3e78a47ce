import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../../src/testing/free-port.js';

it('finds ports one can listen on, with room for a cluster bus, outside the range of outgoing connections', async () => {
  for (let round = 0; round < 20; round += 1) {
    const port = await freePort();
    expect(port).toBeGreaterThanOrEqual(12_000);
    expect(port).toBeLessThan(22_000);
    const servers = [port, port + 10_000].map((each) => createServer().listen(each, '127.0.0.1'));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    for (const server of servers) server.close();
  }
});
