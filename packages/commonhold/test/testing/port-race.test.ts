import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, vi } from 'vitest';
import { freePort } from '../../src/testing/free-port.js';
import { startRedisServer } from '../../src/testing/redis-server.js';

// Only the answer of freePort can be made to age: nobody can win a race on demand.
vi.mock(import('../../src/testing/free-port.js'), async (original) => {
  const actual = await original();
  return { freePort: vi.fn(actual.freePort) };
});

it('takes another port when somebody was faster', async () => {
  const stale = await freePort();
  const faster = createServer().listen(stale, '127.0.0.1');
  await once(faster, 'listening');
  vi.mocked(freePort).mockResolvedValueOnce(stale);
  await using server = await startRedisServer();
  expect(server.port).not.toBe(stale);
  expect(await server.command('PING')).toBe('PONG');
  faster.close();
});
