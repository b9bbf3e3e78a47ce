import { freePort, type RedisServer, startRedisServer, waitUntil } from 'commonhold/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { healthOf } from '../src/health.js';
import { ask, post, serve } from './serving.js';
import { tinySystem } from './tiny-system.js';

const inMemory = {
  status: 'healthy',
  redis: 'disabled',
  state_management: 'in-memory',
  message: 'Application is running normally (development mode)',
};
const onRedis = {
  status: 'healthy',
  redis: 'connected',
  state_management: 'redis',
  message: 'Application is running normally with Redis',
};
const degraded = {
  status: 'degraded',
  redis: 'disconnected',
  state_management: 'redis',
  message: 'Redis is unreachable; serving by policy',
};

async function redis(): Promise<RedisServer> {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  return server;
}

async function expectHealth(url: string, health: object): Promise<void> {
  await waitUntil(`${url}/health to be ${JSON.stringify(health)}`, async () => {
    const { json, status, tookMs } = await ask(`${url}/health`);
    expect(status).toBe(200);
    expect(tookMs).toBeLessThan(250);
    return JSON.stringify(json) === JSON.stringify(health);
  });
}

describe('healthOf', () => {
  const memory = { kind: 'memory', connected: true } as const;
  const connected = { kind: 'redis', connected: true, version: '7.0.15' } as const;
  const away = { kind: 'redis', connected: false, reason: 'gone' } as const;

  it.each([
    ['no store', [], inMemory],
    ['memory', [memory, memory], inMemory],
    ['Redis', [memory, connected], onRedis],
    ['one Redis of two away', [connected, away], degraded],
  ])('of %s', (_name, statuses, health) => {
    expect(JSON.stringify(healthOf(statuses))).toBe(JSON.stringify(health));
  });
});

describe('in memory', () => {
  it('S0.15, X.3: is healthy, live and ready, with the keys in order', async () => {
    const { url } = await serve([tinySystem()]);
    expect((await ask(`${url}/health`)).text).toBe(JSON.stringify(inMemory));
    expect(await ask(`${url}/live`)).toMatchObject({ status: 200, json: { status: 'live' } });
    expect(await ask(`${url}/ready`)).toMatchObject({ status: 200, json: { status: 'ready' } });
  });

  it('has the three questions at the root for a system alone, unless it answers them itself', async () => {
    const own = tinySystem({ onMount: ({ http }) => http.get('/health', () => Promise.resolve({ status: 'ok' })) });
    const { url } = await serve([own], { atRoot: true });
    expect((await ask(`${url}/health`)).json).toEqual({ status: 'ok' });
    expect((await ask(`${url}/ready`)).status).toBe(200);
    expect((await post(`${url}/count`)).json).toEqual({ count: 1 });
  });
});

describe('a system with a service of its own', () => {
  it('X.3: is not ready while that service fails its probe, and the service is named by the system', async () => {
    let away = true;
    const tiny = tinySystem();
    const probe = (): Promise<void> => (away ? Promise.reject(new Error('refused')) : Promise.resolve());
    const { url } = await serve([{ ...tiny, mount: async (host) => ({ ...(await tiny.mount(host)), probe }) }]);
    const { json, status } = await ask(`${url}/ready`);
    expect(status).toBe(503);
    expect(json).toMatchObject({ detail: 'These stores take no writes: a service of tiny.' });
    expect((await ask(`${url}/health`)).status).toBe(200);
    away = false;
    expect((await ask(`${url}/ready`)).status).toBe(200);
  });
});

describe('on Redis', () => {
  it('S0.16: says so', async () => {
    const server = await redis();
    const { url, place } = await serve([tinySystem()], { variables: { REDIS_URL: server.url } });
    expect((await ask(`${url}/health`)).text).toBe(JSON.stringify(onRedis));
    expect((await ask(`${url}/ready`)).status).toBe(200);
    expect(place).toBe(`Redis at 127.0.0.1:${server.port}`);
  });

  it('X.3: is degraded while Redis hangs, answers at once all the while, and recovers', async () => {
    const server = await redis();
    const { url } = await serve([tinySystem()], { variables: { REDIS_URL: server.url } });
    expect((await post(`${url}/tiny/count`)).json).toEqual({ count: 1 });
    server.pause();
    const during = await Promise.all([ask(`${url}/health`), ask(`${url}/live`), post(`${url}/tiny/count`)]);
    const [health, live, counted] = during;
    expect(health.tookMs).toBeLessThan(250);
    expect(live).toMatchObject({ status: 200 });
    expect(counted).toMatchObject({ status: 503, json: { title: 'Service Unavailable', status: 503 } });
    expect(counted.headers.get('retry-after')).toBe('1');
    expect(counted.tookMs).toBeLessThan(1000);
    await expectHealth(url, degraded);
    const [ready, refused] = await Promise.all([ask(`${url}/ready`), post(`${url}/tiny/count`)]);
    expect(ready).toMatchObject({ status: 503, json: { detail: 'These stores take no writes: tiny.' } });
    expect(refused.status).toBe(503);
    expect(refused.tookMs).toBeLessThan(250);
    server.resume();
    await expectHealth(url, onRedis);
    expect((await ask(`${url}/ready`)).status).toBe(200);
    expect((await post(`${url}/tiny/count`)).status).toBe(200);
  });

  it('X.3: is not ready, though connected, while Redis takes no writes', async () => {
    const server = await redis();
    const { url } = await serve([tinySystem()], { variables: { REDIS_URL: server.url } });
    await server.command('CONFIG', 'SET', 'maxmemory', '1mb');
    const { json, status } = await ask(`${url}/ready`);
    expect(status).toBe(503);
    expect(json).toMatchObject({ type: 'about:blank', detail: 'These stores take no writes: tiny.' });
    expect((await ask(`${url}/health`)).status).toBe(200);
  });

  it('starts without Redis, and is well when Redis comes', async () => {
    const port = await freePort();
    const variables = { REDIS_URL: `redis://127.0.0.1:${port}` };
    const { url, place } = await serve([tinySystem()], { variables });
    expect(place).toBe(`Redis at 127.0.0.1:${port}, unreachable`);
    expect((await ask(`${url}/health`)).text).toBe(JSON.stringify(degraded));
    expect((await ask(`${url}/ready`)).status).toBe(503);
    expect((await post(`${url}/tiny/count`)).status).toBe(503);
    const server = await startRedisServer({ port });
    onTestFinished(() => server.stop());
    await expectHealth(url, onRedis);
    expect((await ask(`${url}/ready`)).status).toBe(200);
    expect((await post(`${url}/tiny/count`)).json).toEqual({ count: 1 });
  });
});
