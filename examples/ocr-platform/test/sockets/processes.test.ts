import { openState } from 'commonhold';
import { describe, expect, it } from 'vitest';
import { openOcrState } from '../../src/ocr-state.js';
import { readSettings } from '../../src/settings.js';
import { runWorker, type RunningWorker } from '../../src/tasks/run-worker.js';
import { Client } from '../client.js';
import { ownRedis } from '../homes.js';
import { type Platform, startPlatform } from '../platform.js';
import { fixture } from '../recognition/samples.js';

const small = fixture('HelloGoogle.tif');

describe('processes that share a Redis and a data directory', () => {
  const redis = ownRedis();

  /** Two web processes that read nothing themselves. */
  async function twoWebs(): Promise<{ one: Platform; two: Platform }> {
    const redisUrl = await redis.url();
    const variables = { OCR_WORKERS: '0' };
    const one = await startPlatform({ redisUrl, variables });
    return { one, two: await startPlatform({ redisUrl, variables, dataDirectory: one.dataDirectory }) };
  }

  async function withWorker(dataDirectory: string, work: (worker: RunningWorker) => Promise<void>): Promise<void> {
    const worker = await runWorker({ REDIS_URL: redis.server.url, DATA_DIR: dataDirectory, OCR_WORKERS: '1' });
    try {
      await work(worker);
    } finally {
      await worker.close();
    }
  }

  /** The same person at another process. */
  function at({ url }: Platform, { token }: Client): Client {
    const client = new Client(url);
    client.token = token;
    return client;
  }

  it('share users and sessions, and of two at once one gets the e-mail', async () => {
    const { one, two } = await twoWebs();
    const body = { email: 'eve@example.com', password: 'correct horse battery' };
    const answers = await Promise.all([one, two, one, two].map((platform) => platform.client().post('/users', body)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    const client = await one.signedIn();
    expect((await at(two, client).get('/me')).json).toMatchObject({ email: 'ada@example.com' });
  });

  it('S4.9: a task uploaded to one is read by another, and the socket at the third hears of it in order, once', async () => {
    const { one, two } = await twoWebs();
    const client = await one.signedIn();
    const updates = await at(two, client).connect();
    await withWorker(one.dataDirectory, async () => {
      const ids = [await client.upload(small), await client.upload(small), await client.upload(small)];
      for (const id of ids) await updates.until(id, 'completed');
      for (const id of ids) expect(updates.of(id).filter(({ type }) => type === 'task_completed')).toHaveLength(1);
      const stamps = updates.all.map(({ id }) => id.split('-').map(Number));
      const sorted = stamps.toSorted(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d);
      expect(stamps).toEqual(sorted);
      expect((await at(two, client).task(ids[0] ?? '')).result?.text).toMatch(/Hello/);
    });
  });

  it('a session that ends in one closes its sockets in the other', async () => {
    const { one, two } = await twoWebs();
    const client = await one.signedIn();
    const updates = await at(two, client).connect();
    await client.post('/logout-all');
    const startedAtMs = performance.now();
    await updates.closed();
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });

  it('a session that is ended by neither of them closes its sockets in both', async () => {
    const { one, two } = await twoWebs();
    const client = await one.signedIn();
    const sockets = [await client.connect(), await at(two, client).connect()];
    const state = await openOcrState((options) => openState({ ...options, redis: redis.server.url }), readSettings({}));
    expect(await state.sessions.revoke(client.token)).toBe(true);
    await Promise.all(sockets.map((updates) => updates.closed()));
    await state.shared.close();
  });

  it('S4.5, S4.7: tasks added while paused start by priority, then in the order they came', async () => {
    const { one } = await twoWebs();
    const client = await one.signedIn();
    const state = await openOcrState((options) => openState({ ...options, redis: redis.server.url }), readSettings({}));
    await state.tasks.pause();
    await withWorker(one.dataDirectory, async () => {
      const priorities = [3, 9, 3, 9, 0];
      const ids: string[] = [];
      for (const priority of priorities) ids.push(await client.upload(small, priority));
      await state.tasks.resume();
      const tasks = await Promise.all(ids.map((id) => client.finished(id)));
      const order = tasks.toSorted((a, b) => Number(a.started_at) - Number(b.started_at)).map(({ task_id }) => task_id);
      expect(order).toEqual([ids[1], ids[3], ids[0], ids[2], ids[4]]);
    });
    await state.shared.close();
  });

  it('with Redis back from a pause, a socket goes on where it was', async () => {
    const { one } = await twoWebs();
    const client = await one.signedIn();
    const updates = await client.connect();
    await withWorker(one.dataDirectory, async () => {
      const before = await client.upload(small);
      await updates.until(before, 'completed');
      redis.server.pause();
      await new Promise((resolve) => void setTimeout(resolve, 1_200));
      redis.server.resume();
      await expect.poll(async () => (await client.get('/me')).status, { timeout: 5_000 }).toBe(200);
      expect(updates.socket.connected).toBe(true);
      const after = await client.upload(small);
      await updates.until(after, 'completed');
      expect(updates.of(after).filter(({ type }) => type === 'task_completed')).toHaveLength(1);
    });
  });
});
