import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from 'commonhold/testing';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { ask, expectProblem, post } from '../client.js';
import { startPostgres } from '../postgres.js';
import { type ServerProcess, startServerProcess } from './server-process.js';

/** A report from one of seven segments of one region. */
function report(index: number): Record<string, unknown> {
  const longitude = 77.2079 + (index % 7) * 0.000_5;
  return { observationId: randomUUID(), userId: 'ada', latitude: 28.7037, longitude, quality: index % 101 };
}

const segmentsOf = async (url: string): Promise<{ quality: number; observations: number }[]> => {
  const { json } = await ask(`${url}/segments?regionId=ttngkc`);
  return json['segments'] as { quality: number; observations: number }[];
};

describe('reports outlive what was told of them', () => {
  const servers: ServerProcess[] = [];

  afterEach(() => Promise.all(servers.splice(0).map((server) => server.end('SIGKILL'))));

  async function directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'commonhold-road-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  async function start(environment: Record<string, string>): Promise<ServerProcess> {
    const server = await startServerProcess(environment);
    servers.push(server);
    return server;
  }

  it(
    'S3.1: of two processes one is killed: whoever repeats a report elsewhere counts it once',
    { timeout: 60_000 },
    async () => {
      const redis = await startRedisServer();
      onTestFinished(() => redis.stop());
      const postgres = await startPostgres();
      onTestFinished(() => postgres.stop());
      const shared = { REDIS_URL: redis.url, DATABASE_URL: await postgres.database() };
      const [dying, living] = await Promise.all([start(shared), start(shared)]);
      const reports = Array.from({ length: 400 }, (_, index) => report(index));
      let answered = 0;
      let repeated = 0;
      const send = async (one: Record<string, unknown>): Promise<void> => {
        const first = await post(`${dying.url}/observations`, one).catch(() => undefined);
        if (first?.status === 201) answered++;
        else {
          repeated++;
          expect((await post(`${living.url}/observations`, one)).status).toBeOneOf([200, 201]);
        }
      };
      const left = [...reports];
      const next = async (): Promise<void> => {
        for (let one = left.pop(); one !== undefined; one = left.pop()) {
          if (left.length === 200) void dying.end('SIGKILL');
          await send(one);
        }
      };
      await Promise.all(Array.from({ length: 8 }, next));
      expect(answered).toBeGreaterThan(100);
      expect(repeated).toBeGreaterThan(100);
      const segments = await segmentsOf(living.url);
      expect(segments.reduce((sum, { observations }) => sum + observations, 0)).toBe(400);
      const total = reports.reduce((sum, { quality }) => sum + Number(quality), 0);
      const folded = segments.reduce((sum, { quality, observations }) => sum + quality * observations, 0);
      expect(Math.abs(folded - total)).toBeLessThan(1);
    },
  );

  it(
    'S3.1: in memory, the embedded database is for one process alone, and has what it took after kill -9',
    { timeout: 60_000 },
    async () => {
      const DATA_DIR = await directory();
      const first = await start({ DATA_DIR });
      for (let index = 0; index < 20; index++) {
        expect((await post(`${first.url}/observations`, report(index))).status).toBe(201);
      }
      const second = await start({ DATA_DIR, LOG_LEVEL: 'silent' });
      const refused = await post(`${second.url}/observations`, report(0));
      expectProblem(refused, 503, /Process \d+ .* one process alone.* DATABASE_URL/);
      const health = async (): Promise<unknown> => (await ask(`${second.url}/health`)).json;
      const services = { postgres: 'disconnected', redis: 'disabled', socketio: 'active' };
      await expect.poll(health, { timeout: 5_000 }).toMatchObject({ status: 'degraded', services });
      expectProblem(await ask(`${second.url}/ready`), 503);
      await first.end('SIGKILL');
      await expect.poll(health, { timeout: 5_000 }).toMatchObject({ status: 'ok' });
      const segments = await segmentsOf(second.url);
      expect(segments.reduce((sum, { observations }) => sum + observations, 0)).toBe(20);
    },
  );
});
