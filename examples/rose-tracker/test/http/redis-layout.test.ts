import { pause, type RedisServer, startRedisServer } from 'commonhold/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Camera } from '../camera.js';
import { startWorker } from '../homes.js';

describe('on Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis?.stop());
  beforeEach(() => redis.command('FLUSHALL'));

  async function open(variables: Record<string, string> = {}): Promise<Camera> {
    const worker = await startWorker({ variables: { REDIS_URL: redis.url, ...variables } });
    onTestFinished(() => worker.close());
    return new Camera([worker.base]);
  }

  async function document(key: string): Promise<Record<string, unknown>> {
    return JSON.parse(String(await redis.command('GET', key))) as Record<string, unknown>;
  }

  it('S0.11, S0.13: GET rose:session:<id> is the record as JSON, sets as lists, times as seconds', async () => {
    const camera = await open();
    const { session_id: id } = await camera.start();
    await camera.frame(id, 1, ['a', 'b']);
    await camera.frame(id, 3, ['b']);
    const seconds = expect.closeTo(Date.now() / 1_000, -1) as number;
    expect(await document(`rose:session:${id}`)).toEqual({
      start_time: seconds,
      last_update: seconds,
      last_count_update: seconds,
      display_count: 2,
      frame_counts: [2, 1],
      session_unique_roses: ['a', 'b'],
      frame_count: 2,
      session_number: 1,
      frame_ranges: [
        [1, 1],
        [3, 3],
      ],
      unsettled_roses: [],
    });
  });

  it('S0.13: GET rose:persistent_data is JSON without an end, and the sets stand beside it', async () => {
    const camera = await open();
    const { session_id: id } = await camera.start();
    await camera.frame(id, 1, ['a', 7]);
    const entry = await camera.stop(id);
    expect(await document('rose:persistent_data')).toEqual({
      session_history: [entry],
      last_session_id: id,
      next_session_number: 2,
    });
    expect(await redis.command('TTL', 'rose:persistent_data')).toBe(-1);
    expect(await redis.command('SMEMBERS', 'rose:total_unique_roses')).toEqual(expect.arrayContaining(['a', '7']));
    const pairs = await redis.command('SMEMBERS', 'rose:cumulative_unique_roses');
    expect(pairs).toEqual(expect.arrayContaining(['1:a', '1:7']));
    expect(await redis.command('KEYS', 'rose:session:*')).toEqual([]);
  });

  it('S0.2: a session lives REDIS_SESSION_TTL seconds, and each frame begins that anew', async () => {
    const standard = await open();
    const { session_id: first } = await standard.start();
    expect(Number(await redis.command('PTTL', `rose:session:${first}`))).toBeGreaterThan(3_590_000);

    const camera = await open({ REDIS_SESSION_TTL: '1' });
    const { session_id: id } = await camera.start();
    for (let frame = 1; frame <= 4; frame += 1) {
      await pause(400);
      await camera.frame(id, frame, ['a']);
    }
    await pause(1_100);
    expect((await camera.ask('GET', `/sessions/${id}`)).status).toBe(404);
    expect((await camera.ask('POST', `/sessions/${id}/frames`, { frame: 5, roses: [] })).status).toBe(404);
    expect((await camera.totals()).total_unique_roses).toBe(1);
  });

  it('S0.7: sessions and totals outlive the worker that wrote them', async () => {
    const worker = await startWorker({ variables: { REDIS_URL: redis.url } });
    const { session_id: id } = await new Camera([worker.base]).start();
    await new Camera([worker.base]).frame(id, 1, ['a', 'b']);
    await worker.close();
    const camera = await open();
    expect((await camera.session(id)).session_unique_roses).toEqual(['a', 'b']);
    expect(await camera.totals()).toMatchObject({ total_unique_roses: 2, next_session_number: 2 });
  });

  it('S0.16: health is connected, and says at once when Redis is away', async () => {
    const camera = await open();
    expect((await camera.ask('GET', '/health')).json).toEqual({
      status: 'healthy',
      redis: 'connected',
      state_management: 'redis',
      message: 'Application is running normally with Redis',
    });
    await redis.kill();
    const health = async (): Promise<unknown> => (await camera.ask('GET', '/health')).json['redis'];
    await expect.poll(health, { timeout: 5_000 }).toBe('disconnected');
    const refused = await camera.ask('POST', '/sessions');
    expect(refused).toMatchObject({ status: 503, json: { status: 503 } });
    expect(refused.headers.get('retry-after')).toBe('1');
    await redis.restart();
    await expect.poll(health, { timeout: 5_000 }).toBe('connected');
    expect((await camera.ask('POST', '/sessions')).status).toBe(201);
  });

  it('S0.15: health in memory', async () => {
    const worker = await startWorker({ variables: { USE_REDIS: 'false', REDIS_URL: redis.url } });
    onTestFinished(() => worker.close());
    expect((await new Camera([worker.base]).ask('GET', '/health')).json).toEqual({
      status: 'healthy',
      redis: 'disabled',
      state_management: 'in-memory',
      message: 'Application is running normally (development mode)',
    });
  });
});
