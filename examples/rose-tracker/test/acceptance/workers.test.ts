import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pause, type RedisServer, startRedisServer } from 'commonhold/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Camera } from '../camera.js';
import { recording } from '../recording.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const replay = fileURLToPath(new URL('../../dist/replay.js', import.meta.url));

describe('the rose tracker in several processes', () => {
  let redis: RedisServer;
  let directory: string;
  let workers: WorkerProcess[] = [];

  beforeEach(async () => {
    redis = await startRedisServer();
    directory = await mkdtemp(join(tmpdir(), 'commonhold-rose-'));
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    workers = [];
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** The message of the first line that a worker logs. */
  async function firstLine(environment: Record<string, string>): Promise<string> {
    const child = spawn(process.execPath, [main], {
      env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'info', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    child.kill('SIGKILL');
    await once(child, 'exit');
    return (JSON.parse(line.split('\n')[0] ?? '') as { msg: string }).msg;
  }

  async function start(count: number): Promise<Camera> {
    const starting = Array.from({ length: count }, () => startWorkerProcess({ REDIS_URL: redis.url }));
    workers = await Promise.all(starting);
    return new Camera(workers.map(({ url }) => url));
  }

  it(
    'S0.8: a thousand concurrent frames of one session over three workers lose nothing',
    { timeout: 60_000 },
    async () => {
      const camera = await start(3);
      const { session_id: id } = await camera.start();
      const frames = Array.from({ length: 1_000 }, (_, frame) => [`own-${frame}`, `shared-${frame % 10}`]);
      const answers = await Promise.all(frames.map((roses, frame) => camera.frame(id, frame, roses)));
      expect(new Set(answers.map((counts) => counts.frame_count)).size).toBe(1_000);
      const session = await camera.session(id);
      expect(session.frame_count).toBe(1_000);
      expect(new Set(session.session_unique_roses)).toEqual(new Set(frames.flat()));
      expect(session.session_unique_roses).toHaveLength(1_010);
      expect(await camera.totals()).toMatchObject({ total_unique_roses: 1_010, cumulative_unique_roses: 1_010 });
      const record = JSON.parse(String(await redis.command('GET', `rose:session:${id}`))) as Record<string, unknown>;
      expect(record).toMatchObject({ frame_ranges: [[0, 999]], unsettled_roses: [] });
    },
  );

  it(
    'S0.10, S0.11: a thousand sessions begun over three workers have the numbers 1 to 1000',
    { timeout: 60_000 },
    async () => {
      const camera = await start(3);
      const sessions = await Promise.all(Array.from({ length: 1_000 }, () => camera.start()));
      const numbers = sessions.map((session) => session.session_number).toSorted((left, right) => left - right);
      expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
      const totals = await camera.totals();
      expect(totals.next_session_number).toBe(1_001);
      expect(sessions.find(({ session_number }) => session_number === 1_000)?.session_id).toBe(totals.last_session_id);
    },
  );

  it(
    'S0.7: a worker killed in the middle costs nothing when its frames are sent again',
    { timeout: 60_000 },
    async () => {
      const camera = await start(3);
      const { session_id: id } = await camera.start();
      const send = async (frame: number): Promise<void> => {
        for (;;) {
          const body = { frame, roses: [`own-${frame}`, `shared-${frame % 7}`] };
          const status = await camera.ask('POST', `/sessions/${id}/frames`, body).then(
            (answer) => answer.status,
            () => 0,
          );
          if (status === 200) return;
          expect([0, 503]).toContain(status);
          await pause(20);
        }
      };
      const sending = Array.from({ length: 600 }, (_, frame) => send(frame));
      await Promise.any(sending);
      await workers[0]?.end('SIGKILL');
      await Promise.all(sending);
      const survivors = new Camera(workers.slice(1).map(({ url }) => url));
      const session = await survivors.session(id);
      expect([session.frame_count, session.session_unique_roses.length]).toEqual([600, 607]);
      expect(await survivors.totals()).toMatchObject({ total_unique_roses: 607, cumulative_unique_roses: 607 });
      expect(await survivors.stop(id)).toMatchObject({ frame_count: 600, unique_roses: 607 });
    },
  );

  it('S0.8: a real street over two workers gives exactly its ten ids', { timeout: 60_000 }, async () => {
    const camera = await start(2);
    const run = promisify(execFile);
    const urls = workers.map(({ url }) => url);
    const { stdout } = await run(process.execPath, [replay, recording, ...urls]);
    expect(stdout).toBe('Session 1: 179 frames, 10 unique ids, 6 on display.\n');
    expect(await camera.totals()).toMatchObject({ total_unique_roses: 10, cumulative_unique_roses: 10 });
    await run(process.execPath, [replay, recording, ...urls]);
    expect(await camera.totals()).toMatchObject({ total_unique_roses: 10, cumulative_unique_roses: 20 });
  });

  it('replays by itself with two workers on one memory', { timeout: 60_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [replay, recording], { env: {} });
    expect(stdout).toMatch(/^Two workers in this process, on one memory\.\nSession 1: 179 frames, 10 unique ids/);
  });

  it('S0.1: says in one line where its state lives', { timeout: 60_000 }, async () => {
    expect(await firstLine({})).toMatch(/^Commonhold on http:\/\/127\.0\.0\.1:\d+ \(in memory\)$/);
    expect(await firstLine({ USE_REDIS: 'false', REDIS_URL: redis.url })).toMatch(/\(in memory\)$/);
    const parts = { USE_REDIS: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) };
    expect(await firstLine(parts)).toMatch(/\(Redis at 127\.0\.0\.1:\d+\)$/);
  });

  it('S0.3: in memory does not look at the settings of Redis, nor load its client', { timeout: 60_000 }, async () => {
    const program = `
      import { createRequire } from 'node:module';
      import { startServer } from '@commonhold/server';
      import { system } from '@commonhold/rose-tracker';
      const server = await startServer([system], { atRoot: true, logLevel: 'silent' });
      const { status } = await fetch(server.url + '/sessions', { method: 'POST' });
      const { cache } = createRequire(import.meta.url);
      console.log(status, Object.keys(cache).filter((name) => name.includes('@redis')).length);
      await server.stop();`;
    const env = { PORT: '0', DATA_DIR: directory, REDIS_HOST: 'no.such.host', REDIS_PORT: '1', REDIS_PASSWORD: 'x' };
    const run = async (variables: Record<string, string>): Promise<string> => {
      const options = { cwd: import.meta.dirname, env: { ...env, ...variables } };
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], options);
      return stdout.trim();
    };
    expect(await run({ USE_REDIS: 'false' })).toBe('201 0');
    const used = await run({
      USE_REDIS: 'true',
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(redis.port),
      REDIS_PASSWORD: '',
    });
    expect(used).toMatch(/^201 [1-9]/);
  });

  it('S0.6, S0.15: without Redis it starts with nothing else installed, and says so', { timeout: 60_000 }, async () => {
    const worker = await startWorkerProcess({});
    workers = [worker];
    expect(await (await fetch(`${worker.url}/health`)).text()).toBe(
      '{"status":"healthy","redis":"disabled","state_management":"in-memory","message":"Application is running normally (development mode)"}',
    );
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});
