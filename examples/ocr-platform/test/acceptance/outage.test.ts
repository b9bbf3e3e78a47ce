import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause, type RedisServer, startRedisServer, waitUntil } from 'commonhold/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, type ServerProcess, startServerProcess, Visitor } from './server-process.js';

const awayMs = 8_000;

describe('the OCR platform in three processes, without Redis for a while', () => {
  let dataDirectory: string;
  let redis: RedisServer;
  let servers: readonly ServerProcess[] = [];

  beforeEach(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'commonhold-ocr-'));
    // What Redis answered is there when it comes back.
    redis = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const place = { REDIS_URL: redis.url, DATA_DIR: dataDirectory };
    servers = await Promise.all([
      startServerProcess({ ...place, OCR_WORKERS: '0' }),
      startServerProcess({ ...place, OCR_WORKERS: '1' }),
      startServerProcess({ ...place, OCR_WORKERS: '0', OCR_JOURNAL_BYTES: '4096' }),
    ]);
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.end('SIGKILL')));
    await redis.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  });

  const healthy = async (): Promise<boolean[]> =>
    Promise.all(
      servers.map(async ({ url }) => {
        const { status } = (await (await fetch(`${url}/health`)).json()) as { status: string };
        return status === 'healthy';
      }),
    );

  /** Uploads until `done`, one after the other; resolves to the ids that were answered and to how often it was refused. */
  async function load(visitor: Visitor, { url }: ServerProcess, done: () => boolean): Promise<[string[], number]> {
    const file = await page('HelloGoogle.tif');
    const ids: string[] = [];
    let refused = 0;
    while (!done()) {
      const form = new FormData();
      form.set('file', new Blob([new Uint8Array(file)]), 'page.tif');
      const answer = await visitor.fetch(`${url}/ocr/tasks`, { method: 'POST', body: form });
      const body = (await answer.json()) as { task_id: string };
      if (answer.status === 202) ids.push(body.task_id);
      else {
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
        refused++;
      }
      await pause(400);
    }
    return [ids, refused];
  }

  it(
    'keeps people signed in, takes uploads up to the bound, and reads every one of them',
    { timeout: 90_000 },
    async () => {
      const [first, second, bounded] = servers as [ServerProcess, ServerProcess, ServerProcess];
      const visitors = await Promise.all(
        ['ada', 'bob', 'eve'].map((name) => Visitor.signIn(first.url, `${name}@example.org`)),
      );
      const [ada, bob, eve] = visitors as [Visitor, Visitor, Visitor];
      const statuses = async (path: string): Promise<number[]> =>
        Promise.all(
          visitors.flatMap((one) => servers.map(async ({ url }) => (await one.fetch(`${url}${path}`)).status)),
        );
      // Each process has seen everybody.
      expect(new Set(await statuses('/ocr/me'))).toEqual(new Set([200]));

      let over = false;
      const isOver = (): boolean => over;
      const loads = Promise.all([load(ada, first, isOver), load(bob, second, isOver), load(eve, bounded, isOver)]);
      await pause(1_000);
      await redis.kill();
      const awayAtMs = Date.now();
      await waitUntil('everybody to notice', async () => !(await healthy()).includes(true), { timeoutMs: 5_000 });
      expect(new Set(await statuses('/ocr/me'))).toEqual(new Set([200]));
      expect(new Set(await statuses('/ocr/tasks'))).toEqual(new Set([503]));
      expect((await Visitor.signIn(first.url, 'new@example.org')).token).toBeUndefined();
      await pause(awayAtMs + awayMs - Date.now());
      expect(new Set(await statuses('/ocr/me'))).toEqual(new Set([200]));
      await redis.restart();
      await waitUntil('everybody to be well', async () => !(await healthy()).includes(false), { timeoutMs: 15_000 });
      over = true;
      const [[ofAda, noneOfAda], [ofBob, noneOfBob], [ofEve, someOfEve]] = await loads;

      // Nobody was refused but by the bound.
      expect([noneOfAda, noneOfBob]).toEqual([0, 0]);
      expect(someOfEve).toBeGreaterThan(0);
      expect(Math.min(ofAda.length, ofBob.length)).toBeGreaterThan(ofEve.length);
      await ada.whenDone(second.url, ofAda, 40_000);
      await bob.whenDone(first.url, ofBob, 40_000);
      await eve.whenDone(first.url, ofEve, 40_000);
      const total = ofAda.length + ofBob.length + ofEve.length;
      const stats = (await (await ada.fetch(`${first.url}/ocr/stats`)).json()) as { tasks: object };
      expect(stats.tasks).toEqual({ total, completed: total, failed: 0 });
      await Promise.all(servers.map((server) => server.end('SIGTERM')));
      expect((await readdir(join(dataDirectory, 'ocr'))).filter((name) => name.startsWith('journal'))).toEqual([]);
    },
  );
});
