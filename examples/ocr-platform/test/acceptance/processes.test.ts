import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, pause, type RedisServer, startRedisServer, waitUntil } from 'commonhold/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accuracy,
  page,
  type ServerProcess,
  startServerProcess,
  startWorkerProcess,
  Visitor,
} from './server-process.js';

interface Update {
  readonly id: string;
  readonly type: string;
  readonly task_id: string;
}

describe('the OCR platform in several processes', () => {
  let dataDirectory: string;
  let redis: RedisServer | undefined;
  const servers: ServerProcess[] = [];

  beforeEach(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'commonhold-ocr-'));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.end('SIGKILL')));
    await redis?.stop();
    redis = undefined;
    await rm(dataDirectory, { recursive: true, force: true });
  });

  async function start(environment: Record<string, string> = {}): Promise<ServerProcess> {
    const place: Record<string, string> = redis ? { REDIS_URL: redis.url } : {};
    const server = await startServerProcess({ DATA_DIR: dataDirectory, ...place, ...environment });
    servers.push(server);
    return server;
  }

  it('in memory: the health document, and a page read right', { timeout: 60_000 }, async () => {
    const server = await start();
    expect(await (await fetch(`${server.url}/health`)).text()).toBe(
      '{"status":"healthy","redis":"disabled","state_management":"in-memory","message":"Application is running normally (development mode)"}',
    );
    const ada = await Visitor.signIn(server.url, 'ada@example.org');
    const id = await ada.upload(server.url, await page('phototest-g4.tif'));
    const [task] = await ada.whenDone(server.url, [id], 30_000);
    expect(accuracy(task?.result?.text ?? '', (await page('phototest.txt')).toString())).toBeGreaterThanOrEqual(0.99);
  });

  it(
    'uploaded to one, read by another, heard through a third; what was missed is replayed',
    { timeout: 60_000 },
    async () => {
      redis = await startRedisServer();
      const [upload, , listen] = [
        await start({ OCR_WORKERS: '0' }),
        await start({ OCR_WORKERS: '1', CONTAINER_ID: 'reader' }),
        await start({ OCR_WORKERS: '0' }),
      ];
      const ada = await Visitor.signIn(upload.url, 'ada@example.org');
      const heard: Update[] = [];
      const socket = ada.listen(listen.url);
      socket.on('task_update', (update: Update) => heard.push(update));
      await new Promise<void>((resolve) => socket.on('connect', resolve));
      const file = await page('phototest-g4.tif');
      const first = await ada.upload(upload.url, file);
      const [task] = await ada.whenDone(listen.url, [first], 30_000);
      expect(task?.worker_id).toBe('reader');
      await waitUntil('the end to be heard', () => heard.at(-1)?.type === 'task_completed', { timeoutMs: 2_000 });
      expect(heard.filter((update) => update.type === 'task_completed').map((update) => update.task_id)).toEqual([
        first,
      ]);
      const ids = heard.map((update) => update.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.toSorted(byStreamOrder)).toEqual(ids);

      socket.disconnect();
      const missed = await ada.upload(upload.url, file);
      await ada.whenDone(listen.url, [missed], 30_000);
      const again: Update[] = [];
      const back = ada.listen(upload.url, ids.at(-1));
      back.on('task_update', (update: Update) => again.push(update));
      await waitUntil('the replay', () => again.at(-1)?.type === 'task_completed', { timeoutMs: 5_000 });
      expect(new Set(again.map((update) => update.task_id))).toEqual(new Set([missed]));
      back.disconnect();
    },
  );

  it(
    'one worker killed, one stopped: all is read, nothing twice but what the killed one held',
    { timeout: 150_000 },
    async () => {
      redis = await startRedisServer();
      const web = await start({ OCR_WORKERS: '0' });
      const workers = await Promise.all(
        ['one', 'two', 'three'].map((name) => start({ OCR_WORKERS: '2', CONTAINER_ID: name })),
      );
      const ada = await Visitor.signIn(web.url, 'ada@example.org');
      const file = await page('phototest-g4.tif');
      const ids = await Promise.all(Array.from({ length: 30 }, (_, n) => ada.upload(web.url, file, n % 11)));
      const all = (): Promise<Awaited<ReturnType<Visitor['task']>>[]> =>
        Promise.all(ids.map((id) => ada.task(web.url, id)));

      const isRunBy = (name: string) => async (): Promise<boolean> =>
        (await all()).some((task) => task.worker_id === name && task.status === 'processing');
      await waitUntil('worker one to read', isRunBy('one'), { timeoutMs: 30_000, everyMs: 20 });
      await workers[0]?.end('SIGKILL');
      const killedAtMs = Date.now();
      const orphans = (await all()).filter((task) => task.worker_id === 'one' && task.status === 'processing');
      expect(orphans.length).toBeGreaterThan(0);

      let takenOverAtMs = 0;
      const takenOver = async (): Promise<boolean> => {
        const now = await Promise.all(orphans.map((task) => ada.task(web.url, task.task_id)));
        // Back in line, or with another worker already; which of them depends on who has a hand free.
        return now.every((task) => task.worker_id !== 'one' || task.status !== 'processing');
      };
      await waitUntil('the orphans to be taken over', takenOver, { timeoutMs: 15_000, everyMs: 20 });
      takenOverAtMs = Date.now();
      expect(takenOverAtMs - killedAtMs).toBeLessThan(6_000);

      await workers[1]?.end('SIGTERM');
      const done = await ada.whenDone(web.url, ids, 100_000);
      const twice = done.filter((task) => task.attempts > 1).map((task) => task.task_id);
      expect(new Set(twice)).toEqual(new Set(orphans.map((task) => task.task_id)));
      const stats = (await (await ada.fetch(`${web.url}/ocr/stats`)).json()) as { tasks: object };
      expect(stats.tasks).toEqual({ total: 30, completed: 30, failed: 0 });
    },
  );

  it(
    'a Redis that hangs: answers within a second, then all is well without a restart',
    { timeout: 60_000 },
    async () => {
      redis = await startRedisServer();
      const server = await start();
      const ada = await Visitor.signIn(server.url, 'ada@example.org');
      redis.pause();
      await pause(700);
      const timed = async (path: string, options: RequestInit = {}): Promise<[number, number]> => {
        const startedAtMs = performance.now();
        const answer = await ada.fetch(`${server.url}${path}`, options);
        await answer.arrayBuffer();
        return [answer.status, performance.now() - startedAtMs];
      };
      for (const path of ['/ocr/me', '/ocr/tasks', '/ocr/stats', '/ocr/sessions', '/ocr/tasks/abc']) {
        const [status, tookMs] = await timed(path);
        // Who was here a moment ago stays signed in.
        expect(status, path).toBe(path === '/ocr/me' ? 200 : 503);
        expect(tookMs, path).toBeLessThan(1_000);
      }
      const [health, healthMs] = await timed('/health');
      expect([health, healthMs < 100]).toEqual([200, true]);
      expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({
        status: 'degraded',
        redis: 'disconnected',
      });
      redis.resume();
      await waitUntil('recovery', async () => (await timed('/ocr/tasks'))[0] === 200, { timeoutMs: 5_000 });
      const id = await ada.upload(server.url, await page('phototest-g4.tif'));
      await ada.whenDone(server.url, [id], 30_000);
    },
  );

  it('a worker apart lives through a Redis that is absent, and one that dies', { timeout: 60_000 }, async () => {
    const port = await freePort();
    const environment = { REDIS_URL: `redis://127.0.0.1:${port}`, DATA_DIR: dataDirectory };
    const worker = startWorkerProcess(environment);
    servers.push(worker);
    await pause(1_500);
    expect(worker.child.exitCode).toBeNull();
    redis = await startRedisServer({ port });
    const web = await start({ OCR_WORKERS: '0' });
    const ada = await Visitor.signIn(web.url, 'ada@example.org');
    await ada.whenDone(web.url, [await ada.upload(web.url, await page('phototest-g4.tif'))], 30_000);
    await redis.kill();
    await pause(1_500);
    expect(worker.child.exitCode).toBeNull();
    await redis.restart();
    await waitUntil('the server to recover', () => isHealthy(web), { timeoutMs: 5_000 });
    const again = await Visitor.signIn(web.url, 'ada@example.org');
    await again.whenDone(web.url, [await again.upload(web.url, await page('phototest-g4.tif'))], 30_000);
  });

  it('a Redis that is absent at start: degraded, then well when it appears', { timeout: 60_000 }, async () => {
    const port = await freePort();
    const server = await start({ REDIS_URL: `redis://127.0.0.1:${port}` });
    expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({
      status: 'degraded',
      redis: 'disconnected',
    });
    redis = await startRedisServer({ port });
    await waitUntil('the server to recover', () => isHealthy(server), { timeoutMs: 5_000 });
    const ada = await Visitor.signIn(server.url, 'ada@example.org');
    const id = await ada.upload(server.url, await page('phototest-g4.tif'));
    await ada.whenDone(server.url, [id], 30_000);
  });
});

async function isHealthy(server: ServerProcess): Promise<boolean> {
  const health = (await (await fetch(`${server.url}/health`)).json()) as { status: string };
  return health.status === 'healthy';
}

function byStreamOrder(a: string, b: string): number {
  const [x = 0, m = 0] = a.split('-').map(Number);
  const [y = 0, n = 0] = b.split('-').map(Number);
  return x - y || m - n;
}
