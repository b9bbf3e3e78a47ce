import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/backend/redis/slot.js';
import { type RedisCluster, startRedisCluster } from '../../src/testing/redis-cluster.js';
import { waitUntil } from '../../src/testing/waiting.js';

describe('startRedisCluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster({ masters: 3, replicas: 1, nodeTimeoutMs: 5_000 });
  });
  afterAll(() => cluster?.stop());

  it('starts masters that share the slots, each with its replicas', async () => {
    expect(cluster.servers).toHaveLength(6);
    expect(await cluster.masters()).toEqual(cluster.servers.slice(0, 3));
    expect(cluster.urls).toEqual(cluster.servers.slice(0, 3).map(({ url }) => url));
    for (const key of ['a', 'b', 'c', 'd']) {
      const master = await cluster.masterOf(key);
      expect(await master.command('SET', key, '1')).toBe('OK');
      expect(await master.command('WAIT', 1, 2_000)).toBe(1);
      expect(await (await cluster.replicaOf(master)).command('CLUSTER', 'COUNTKEYSINSLOT', slotOf(key))).toBe(1);
    }
  });

  it('moves a slot with its keys', async () => {
    const from = await cluster.masterOf('{m}');
    const to = cluster.servers.slice(0, 3).find((server) => server !== from) ?? from;
    for (let number = 0; number < 250; number++) await from.command('SET', `{m}${number}`, number);
    await cluster.moveSlot(slotOf('{m}'), to);
    expect(await to.command('CLUSTER', 'COUNTKEYSINSLOT', slotOf('{m}'))).toBe(250);
    await expect(from.command('GET', '{m}1')).rejects.toThrow(/^MOVED/);
    await waitUntil('all to know', async () => (await cluster.masterOf('{m}')) === to);
  });

  it('lets a replica take over', async () => {
    const master = await cluster.masterOf('a');
    const replica = await cluster.failover(master);
    await cluster.settled();
    expect(await cluster.masterOf('a')).toBe(replica);
    expect(await cluster.replicaOf(replica)).toBe(master);
    expect(await replica.command('GET', 'a')).toBe('1');
  });

  it('ends every server, twice without harm', async () => {
    const ids = cluster.servers.map(({ processId }) => processId);
    await cluster.stop();
    await cluster.stop();
    for (const id of ids) expect(() => process.kill(id, 0)).toThrow(/ESRCH/);
  });
});
