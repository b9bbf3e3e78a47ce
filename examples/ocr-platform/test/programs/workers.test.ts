import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownRedis } from '../homes.js';
import { startPlatform } from '../platform.js';
import { PHOTOTEST } from '../recognition/samples.js';

const program = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));

interface Worker {
  readonly child: ChildProcess;
  readonly name: string;
}

/** Starts the program as people do; resolves when it reads. */
async function startWorker(name: string, redisUrl: string, dataDirectory: string): Promise<Worker> {
  const variables = { REDIS_URL: redisUrl, DATA_DIR: dataDirectory, OCR_WORKERS: '1', CONTAINER_ID: name };
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stderr.setEncoding('utf8'), 'data')) as [string];
  expect(line).toMatch(/^Reading up to 1 at a time/);
  return { child, name };
}

describe('worker processes', () => {
  const redis = ownRedis();

  it('S4.5, S4.9: lose nothing when one is killed and one is stopped in the middle', async () => {
    const redisUrl = await redis.url();
    const platform = await startPlatform({ redisUrl, variables: { OCR_WORKERS: '0' } });
    const client = await platform.signedIn();
    const { dataDirectory } = platform;
    const updates = await client.connect();
    const [killed, stopped] = [
      await startWorker('worker-1', redisUrl, dataDirectory),
      await startWorker('worker-2', redisUrl, dataDirectory),
      await startWorker('worker-3', redisUrl, dataDirectory),
    ];
    const ids: string[] = [];
    for (let count = 0; count < 16; count++) ids.push(await client.upload(PHOTOTEST, count % 11));
    const heldBy = async (name: string): Promise<string | undefined> => {
      const tasks = await Promise.all(ids.map((id) => client.task(id)));
      return tasks.find(({ status, worker_id }) => status === 'processing' && worker_id === name)?.task_id;
    };
    await expect.poll(() => heldBy(killed.name), { interval: 20, timeout: 10_000 }).toBeDefined();
    killed.child.kill('SIGKILL');
    const killedAtMs = performance.now();
    stopped.child.kill('SIGTERM');
    const [code] = (await once(stopped.child, 'exit')) as [number | null];
    expect(code).toBe(0);
    const tasks = await Promise.all(ids.map((id) => client.finished(id)));
    expect(tasks.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
    const takenOver = tasks.filter(({ attempts }) => attempts > 1);
    expect(takenOver.length).toBeLessThanOrEqual(1);
    expect(performance.now() - killedAtMs).toBeLessThan(30_000);
    for (const id of ids) expect(updates.of(id).filter(({ type }) => type === 'task_completed')).toHaveLength(1);
    expect((await client.get('/stats')).json['tasks']).toEqual({ total: 16, completed: 16, failed: 0 });
  }, 60_000);
});
