import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/backend/redis/slot.js';
import { openState, type StoreLoss } from '../../src/index.js';
import { type RedisCluster, startRedisCluster } from '../../src/testing/redis-cluster.js';
import { waitUntil } from '../../src/testing/waiting.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('what a master of a cluster has', { timeout: 60_000 }, () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster({ masters: 3, replicas: 0, nodeTimeoutMs: 5_000 });
  });
  afterAll(() => cluster?.stop());

  /** The keys of epochs, in the order of their numbers. */
  async function epochs(): Promise<string[]> {
    const keys = await Promise.all(cluster.servers.map((server) => server.command('KEYS', 'loss:epoch:{*}')));
    return (keys.flat() as string[]).toSorted();
  }

  it('is not lost with a slot that moves, and is with a master that comes back empty', async () => {
    await using state = await openState({ namespace: 'loss', redis: { cluster: cluster.urls }, log });
    const losses: StoreLoss[] = [];
    state.on('stateLost', (loss) => void losses.push(loss));
    await state.probe();
    const before = await epochs();
    expect(before).toHaveLength(3);
    for (const key of before) {
      const from = await cluster.masterOf(key);
      const to = cluster.servers.find((server) => server !== from);
      if (to !== undefined) await cluster.moveSlot(slotOf(key), to);
      await state.counter(key.slice(key.indexOf('{'))).get();
      await state.probe();
    }
    await state.probe();
    expect(losses).toEqual([]);
    expect(state.status()).toMatchObject({ connected: true, processes: 1 });

    const [flushed, killed] = cluster.servers;
    await flushed?.command('FLUSHALL');
    await waitUntil('the loss', () => losses.length > 0, { timeoutMs: 10_000 });
    expect(losses).toEqual([{ kind: 'empty', node: `127.0.0.1:${flushed?.port}` }]);
    await killed?.restart();
    await waitUntil('the other loss', () => losses.length > 1, { timeoutMs: 20_000 });
    expect(losses[1]).toEqual({ kind: 'empty', node: `127.0.0.1:${killed?.port}` });
    await waitUntil('the cluster', () => state.status().connected, { timeoutMs: 20_000 });
    expect(losses).toHaveLength(2);
  });
});
