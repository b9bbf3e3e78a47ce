import { freePort, startRedisServer } from 'commonhold/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSystem } from '../../src/index.js';
import { ask, connect, expectProblem, post } from '../client.js';
import { ownPostgres } from '../database/databases.js';
import { ownRedis } from '../homes.js';
import { startRoad } from '../place.js';

const report = { userId: 'ada', latitude: 28.7, longitude: 77.2, quality: 50 };

/** The document without its time, which must be now. */
async function health(base: string): Promise<unknown> {
  const startedAtMs = performance.now();
  const { status, json } = await ask(`${base}/health`);
  expect(performance.now() - startedAtMs).toBeLessThan(500);
  expect(status).toBe(200);
  expect(Object.keys(json)).toEqual(['status', 'timestamp', 'services']);
  const { timestamp, ...rest } = json;
  expect(new Date(String(timestamp)).toISOString()).toBe(timestamp);
  expect(Math.abs(Date.parse(String(timestamp)) - Date.now())).toBeLessThan(5_000);
  return rest;
}

const document = (status: string, postgres: string, redis: string): object => ({
  status,
  services: { postgres, redis, socketio: 'active' },
});

describe('health', () => {
  const redis = ownRedis();
  const postgres = ownPostgres();

  it('S3.7, X.3: in memory, with the embedded database', async () => {
    const { base } = await startRoad();
    expect(await health(base)).toEqual(document('ok', 'connected', 'disabled'));
    expect((await ask(`${base}/live`)).status).toBe(200);
    expect((await ask(`${base}/ready`)).status).toBe(200);
    const below = await startRoad({ atRoot: false });
    expect(await health(below.base)).toEqual(document('ok', 'connected', 'disabled'));
  });

  it('S3.7: lists the services that an app adds, and none can hold it up', async () => {
    const services = {
      mongodb: (): Promise<'connected'> => Promise.resolve('connected'),
      mail: (): Promise<never> => new Promise(() => undefined),
    };
    const { base } = await startRoad({ system: createSystem({ services }) });
    const expected = { postgres: 'connected', redis: 'disabled', socketio: 'active', mongodb: 'connected' };
    expect(await health(base)).toEqual({ status: 'ok', services: { ...expected, mail: 'connected' } });
    const late = { status: 'degraded', services: { ...expected, mail: 'disconnected' } };
    await expect.poll(() => health(base), { timeout: 5_000 }).toEqual(late);
  });

  it('S3.1: on Redis without a database: presence works, observations are refused and the answer says why', async () => {
    const { base } = await startRoad({ variables: { REDIS_URL: await redis.url() } });
    expect(await health(base)).toEqual(document('ok', 'disabled', 'connected'));
    expect((await ask(`${base}/ready`)).status).toBe(200);
    for (const answer of [await post(`${base}/observations`, report), await ask(`${base}/segments?regionId=ttngkc`)]) {
      expectProblem(answer, 503, /DATABASE_URL/);
    }
    const ada = await connect(base, 'ada');
    expect(await ada.go({ latitude: 28.7037, longitude: 77.2079 })).toBe('ttngkc');
    const regions = [{ regionId: 'ttngkc', members: 1, quality: null, observations: 0 }];
    const areas = async (): Promise<unknown> => (await ask(`${base}/areas?ids=ttng`)).json['areas'];
    await expect.poll(areas, { timeout: 5_000 }).toEqual([{ areaId: 'ttng', regions }]);
  });

  it('S3.7: a PostgreSQL that goes away and comes back; nothing else suffers', { timeout: 40_000 }, async () => {
    const variables = { REDIS_URL: await redis.url(), DATABASE_URL: await postgres().database() };
    const { base } = await startRoad({ variables });
    expect((await post(`${base}/observations`, report)).status).toBe(201);
    expect(await health(base)).toEqual(document('ok', 'connected', 'connected'));
    await postgres().kill();
    await expect
      .poll(() => health(base), { timeout: 8_000 })
      .toEqual(document('degraded', 'disconnected', 'connected'));
    expectProblem(await post(`${base}/observations`, report), 503, /cannot be reached/);
    expectProblem(await ask(`${base}/segments?regionId=ttngkc`), 503);
    expectProblem(await ask(`${base}/ready`), 503, /road/);
    expect((await ask(`${base}/live`)).status).toBe(200);
    expect(await (await connect(base, 'ada')).go(report)).toBe('ttngk8');
    await postgres().start();
    await expect.poll(() => health(base), { timeout: 8_000 }).toEqual(document('ok', 'connected', 'connected'));
    expect((await ask(`${base}/ready`)).status).toBe(200);
    const { json } = await ask(`${base}/segments?regionId=ttngk8`);
    expect(json['segments']).toMatchObject([{ observations: 1 }]);
  });

  it('S3.6, S3.14: a Redis with a password, which the URL holds and nobody shows', async () => {
    const guarded = await startRedisServer();
    onTestFinished(() => guarded.stop());
    await guarded.command('CONFIG', 'SET', 'requirepass', 'secret-7d1f');
    const lines: string[] = [];
    const variables = { REDIS_URL: `redis://:secret-7d1f@127.0.0.1:${guarded.port}`, LOG_LEVEL: 'info' };
    const { base, server } = await startRoad({ variables, logTo: lines });
    const ada = await connect(base, 'ada');
    await ada.go(report);
    expect((await ask(`${base}/users/ada/presence`)).json).toMatchObject({ online: true });
    expect(`${server.place} ${lines.join('')}`).not.toContain('secret-7d1f');
  });

  it('S3.8: a Redis that is absent: the server runs, says so in the log, and sockets connect', async () => {
    const lines: string[] = [];
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const { base } = await startRoad({ variables: { REDIS_URL: url, LOG_LEVEL: 'warn' }, logTo: lines });
    expect(lines.join('')).toContain('Server will continue without Redis');
    expect(await health(base)).toEqual(document('degraded', 'disabled', 'disconnected'));
    expectProblem(await ask(`${base}/regions/ttngkc/members`), 503);
    const ada = await connect(base, 'ada');
    expect(ada.socket.connected).toBe(true);
  });

  it(
    'S3.8: a Redis that hangs: answers within a second, and members go on when it is back',
    { timeout: 40_000 },
    async () => {
      const { base } = await startRoad({ variables: { REDIS_URL: await redis.url() } });
      const ada = await connect(base, 'ada');
      const regionId = await ada.go(report);
      redis.server.pause();
      const startedAtMs = performance.now();
      const answer = await ada.send('location', { latitude: 28.7037, longitude: 77.2079 });
      expect(answer).toMatchObject({ error: { status: 503 } });
      const late = await connect(base, 'late');
      expectProblem(await ask(`${base}/users/ada/presence`), 503);
      expect(performance.now() - startedAtMs).toBeLessThan(2_500);
      expect(await health(base)).toEqual(document('degraded', 'disabled', 'disconnected'));
      redis.server.resume();
      await expect.poll(() => health(base), { timeout: 5_000 }).toEqual(document('ok', 'disabled', 'connected'));
      expect(await ada.go(report)).toBe(regionId);
      // It was refused as a member while the store was away, and is one with its next message.
      expect(await late.go(report)).toBe(regionId);
      const { json } = await ask(`${base}/regions/${regionId}/members`);
      const sockets = (json['members'] as { socketId: string }[]).map(({ socketId }) => socketId);
      expect(sockets.toSorted()).toEqual([ada.id, late.id].toSorted());
      await ada.hears('member_joined', late.in(regionId));
    },
  );
});
