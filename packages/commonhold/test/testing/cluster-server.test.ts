import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedisServer, type RedisServer } from '../../src/testing/redis-server.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer({ cluster: true });
});
afterAll(() => server.stop());

async function expectOneNode(): Promise<void> {
  expect(await server.command('CLUSTER', 'INFO')).toContain('cluster_slots_ok:16384');
  expect(await server.command('MSET', '{a}1', '1', '{a}2', '2')).toBe('OK');
  await expect(server.command('MSET', 'a', '1', 'b', '2')).rejects.toThrow(/^CROSSSLOT/);
}

it('owns every slot and refuses to cross them', expectOneNode);

it('tells clients an address they can reach', async () => {
  const slots = await server.command('CLUSTER', 'SLOTS');
  expect(slots).toEqual([[0, 16_383, ['127.0.0.1', server.port, expect.any(String), []]]]);
});

it('keeps its slots when it is killed and comes back', async () => {
  await server.kill();
  await server.restart();
  await expectOneNode();
});
