import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { openState } from 'commonhold';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openOcrState, type OcrState } from '../../src/ocr-state.js';
import { readSettings } from '../../src/settings.js';
import { expectProblem } from '../client.js';
import { homes, ownRedis } from '../homes.js';
import { type Platform, startPlatform } from '../platform.js';
import { accuracy, fixture, PHOTOTEST, PHOTOTEST_TEXT } from '../recognition/samples.js';

const documentFields = [
  'task_id',
  'user_id',
  'file_id',
  'status',
  'priority',
  'created_at',
  'started_at',
  'completed_at',
  'attempts',
  'worker_id',
  'progress',
  'result',
  'error',
];

/** Nobody reads: tasks stay as they are. */
const nobody = { OCR_WORKERS: '0' };

describe.each(homes)('tasks, %s', (_name, open) => {
  const home = open();

  it('S4.9: are read: the text comes back with its document and in the totals', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const client = await platform.signedIn();
    const id = await client.upload(PHOTOTEST, 7);
    const task = await client.finished(id);
    expect(Object.keys(task)).toEqual(documentFields);
    const file_id = createHash('sha256')
      .update(await readFile(PHOTOTEST))
      .digest('hex');
    expect(task).toMatchObject({
      task_id: id,
      file_id,
      status: 'completed',
      priority: 7,
      attempts: 1,
      progress: 1,
      error: null,
    });
    expect(accuracy(task.result?.text ?? '', PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
    expect(task.result?.confidence).toBeGreaterThan(80);
    expect(task.worker_id).toBeTypeOf('string');
    expect(Number(task.started_at)).toBeGreaterThanOrEqual(task.created_at);
    expect(Number(task.completed_at)).toBeGreaterThan(Number(task.started_at));
    expect(task.user_id).toBe((await client.get('/me')).json['user_id']);
    expect(await readFile(join(platform.dataDirectory, 'ocr', 'files', file_id))).toEqual(await readFile(PHOTOTEST));

    const { json } = await client.get('/stats');
    expect(Object.keys(json)).toEqual(['tasks', 'daily']);
    expect(json['tasks']).toEqual({ total: 1, completed: 1, failed: 0 });
    const today = { tasks_completed: 1, tasks_failed: 0, avg_processing_time: expect.any(Number) as number };
    expect(json['daily']).toEqual({ [new Date(Number(task.completed_at)).toISOString().slice(0, 10)]: today });
  });

  it('S4.6: wait with nulls for what is not known yet, and take 5 for their priority', async () => {
    const client = await (await startPlatform({ redisUrl: await home.url(), variables: nobody })).signedIn();
    const id = await client.upload(PHOTOTEST);
    expect(await client.task(id)).toMatchObject({
      status: 'pending',
      priority: 5,
      started_at: null,
      completed_at: null,
      attempts: 0,
      worker_id: null,
      progress: null,
      result: null,
      error: null,
    });
  });

  it('are listed newest first, in pages, by status', async () => {
    const client = await (await startPlatform({ redisUrl: await home.url(), variables: nobody })).signedIn();
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.unshift(await client.upload(fixture('HelloGoogle.tif')));
    await client.request('DELETE', `/tasks/${ids[2]}`);
    const list = async (query: string): Promise<{ ids: unknown[]; cursor: string | null }> => {
      const { json } = await client.get(`/tasks${query}`);
      const tasks = json['tasks'] as { task_id: string }[];
      return { ids: tasks.map(({ task_id }) => task_id), cursor: json['cursor'] as string | null };
    };
    expect(await list('')).toEqual({ ids, cursor: null });
    expect((await list('?status=cancelled')).ids).toEqual([ids[2]]);
    expect((await list('?status=completed')).ids).toEqual([]);
    const pending = ids.filter((id) => id !== ids[2]);
    for (const [query, expected] of [
      ['', ids],
      ['status=pending&', pending],
    ] as const) {
      const pages: unknown[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: { ids: unknown[]; cursor: string | null } = await list(
          `?${query}limit=2${cursor && `&cursor=${cursor}`}`,
        );
        expect(page.ids.length).toBeLessThanOrEqual(2);
        pages.push(...page.ids);
        cursor = page.cursor;
      }
      expect(pages).toEqual(expected);
    }
  });

  it("are their owner's alone", async () => {
    const platform = await startPlatform({ redisUrl: await home.url(), variables: nobody });
    const ada = await platform.signedIn('ada@example.com');
    const bob = await platform.signedIn('bob@example.com');
    const id = await ada.upload(PHOTOTEST);
    expectProblem(await bob.get(`/tasks/${id}`), 404, /no task/);
    expectProblem(await bob.request('DELETE', `/tasks/${id}`), 404, /no task/);
    expect((await bob.get('/tasks')).json).toEqual({ tasks: [], cursor: null });
    expect((await ada.task(id)).status).toBe('pending');
  });

  it('are cancelled once and for all, while they wait and while they run', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const client = await platform.signedIn();
    const running = await client.upload(await slowPage(), 10);
    const waiting = await client.upload(PHOTOTEST, 0);
    await expect.poll(async () => (await client.task(running)).status, { timeout: 10_000 }).toBe('processing');
    for (const id of [waiting, running, running]) {
      const { status, json } = await client.request('DELETE', `/tasks/${id}`);
      expect({ status, json }).toEqual({ status: 200, json: { task_id: id, status: 'cancelled' } });
      expect(await client.task(id)).toMatchObject({ status: 'cancelled', result: null });
    }
    const after = await client.upload(PHOTOTEST);
    expect(await client.finished(after)).toMatchObject({ status: 'completed' });
    expect((await client.request('DELETE', `/tasks/${after}`)).json).toEqual({ task_id: after, status: 'completed' });
    expect((await client.get('/stats')).json['tasks']).toEqual({ total: 3, completed: 1, failed: 0 });
  });
});

/** Takes a second or more to read. */
async function slowPage(): Promise<Buffer> {
  const page = await sharp(PHOTOTEST).png().toBuffer();
  return sharp({ create: { width: 2_480, height: 3_508, channels: 3, background: '#ffffff' } })
    .composite([{ input: page, tile: true }])
    .png({ compressionLevel: 1 })
    .toBuffer();
}

describe('what is asked of tasks', () => {
  it.each([
    ['/tasks/nothing', 404, /no task/],
    ['/tasks/..%2F..%2Fetc', 404, /no task/],
    [`/tasks/${'a'.repeat(90)}`, 404, /no task/],
    ['/tasks/%00', 404, /no task/],
    ['/tasks?status=done', 422, /"status" must be one of pending/],
    ['/tasks?status=delayed', 422, /"status" must be one of pending/],
    ['/tasks?status=pending&status=failed', 422, /"status"/],
    ['/tasks?limit=0', 422, /"limit" must be a whole number from 1 to 200/],
    ['/tasks?limit=201', 422, /"limit"/],
    ['/tasks?limit=ten', 422, /"limit"/],
    ['/tasks?cursor=x', 422, /"cursor"/],
  ])('%s', async (path, status, detail) => {
    const platform = await startPlatform({ variables: nobody });
    const client = await platform.signedIn();
    expectProblem(await client.get(path), status, detail);
  });
});

describe('on Redis', () => {
  const redis = ownRedis();

  /** The state that the platform's processes share, opened beside them. */
  async function beside(redisUrl: string): Promise<OcrState> {
    return openOcrState((options) => openState({ ...options, redis: redisUrl }), readSettings({}));
  }

  async function start(variables: Record<string, string> = nobody): Promise<Platform> {
    return startPlatform({ redisUrl: await redis.url(), variables });
  }

  it('S4.6, S4.8, S4.15: a task is the documented hash, counted in the documented totals', async () => {
    const client = await (await start({ OCR_WORKERS: '1' })).signedIn();
    const id = await client.upload(PHOTOTEST, 8);
    await client.finished(id);
    const flat = (await redis.server.command('HGETALL', `ocr:task:data:${id}`)) as string[];
    const hash = Object.fromEntries(flat.flatMap((name, index) => (index % 2 ? [] : [[name, flat[index + 1]]])));
    const task = await client.task(id);
    expect(hash).toMatchObject({
      user_id: task.user_id,
      file_id: task.file_id,
      status: 'completed',
      priority: '8',
      attempts: '1',
      worker_id: task.worker_id,
      created_at: String(task.created_at),
      completed_at: String(task.completed_at),
    });
    expect(await redis.server.command('PTTL', `ocr:task:data:${id}`)).toBeGreaterThan(86_000_000);
    expect(await redis.server.command('GET', 'ocr:stats:tasks:total')).toBe('1');
    expect(await redis.server.command('GET', 'ocr:stats:tasks:completed')).toBe('1');
  });

  it('of tasks that wait for another attempt the owner sees pending ones, after the fresh ones', async () => {
    const platform = await start();
    const client = await platform.signedIn();
    const older = await client.upload(PHOTOTEST);
    const state = await beside(redis.server.url);
    const worker = state.tasks.work(() => Promise.reject(new Error('not now')));
    await expect.poll(async () => (await state.tasks.get(older))?.status).toBe('delayed');
    await worker.close();
    const newer = await client.upload(PHOTOTEST);
    expect(await client.task(older)).toMatchObject({ status: 'pending', attempts: 1, error: 'Error: not now' });
    const ids: unknown[] = [];
    let query = '?status=pending&limit=1';
    for (let pages = 0; pages < 4 && query !== ''; pages++) {
      const { json } = await client.get(`/tasks${query}`);
      const cursor = json['cursor'] as string | null;
      ids.push(...(json['tasks'] as { task_id: string }[]).map(({ task_id }) => task_id));
      query = cursor === null ? '' : `?status=pending&limit=1&cursor=${cursor}`;
    }
    expect(ids).toEqual([newer, older]);
    await state.shared.close();
  });

  it('with the store paused, who is signed in stays so, nobody gets in, uploads are taken, and all is well after', async () => {
    const platform = await start();
    const client = await platform.signedIn();
    let taken = '';
    redis.server.pause();
    try {
      expect((await client.get('/me')).status).toBe(200);
      const health = async (): Promise<unknown> => (await fetch(`${platform.server.url}/health`)).json();
      await expect.poll(health, { timeout: 5_000 }).toMatchObject({ redis: 'disconnected' });
      const startedAtMs = performance.now();
      const answers = await Promise.all([
        client.get('/tasks'),
        client.get('/stats'),
        client.get('/sessions'),
        client.post('/login', { email: 'ada@example.com', password: 'x' }),
      ]);
      expect(performance.now() - startedAtMs).toBeLessThan(3_000);
      for (const answer of answers) expectProblem(answer, 503, /store/);
      expect((await client.get('/me')).status).toBe(200);
      taken = await client.upload(PHOTOTEST);
    } finally {
      redis.server.resume();
    }
    await expect.poll(async () => (await client.get(`/tasks/${taken}`)).status, { timeout: 10_000 }).toBe(200);
    expect((await client.get('/tasks')).json).toMatchObject({ tasks: [{ task_id: taken }], cursor: null });
  });
});
