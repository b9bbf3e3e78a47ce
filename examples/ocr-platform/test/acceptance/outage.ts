import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause, type RedisServer, startRedisServer, waitUntil } from 'commonhold/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, type ServerProcess, startServerProcess, Visitor } from './server-process.js';

interface Uploads {
  readonly ids: string[];
  refused: number;
}

const noUploads = (): Uploads => ({ ids: [], refused: 0 });

/** Declares the test of the platform without Redis for `awayMs`. */
export function itStaysUpWithoutRedis(awayMs: number): void {
  describe(`the OCR platform in three processes, without Redis for ${awayMs / 1_000} s`, () => {
    let dataDirectory: string;
    let redis: RedisServer;
    let servers: readonly ServerProcess[] = [];
    const everyMs = Math.min(awayMs / 12, 5_000);

    beforeEach(async () => {
      dataDirectory = await mkdtemp(join(tmpdir(), 'commonhold-ocr-'));
      // What Redis answered is there when it comes back.
      redis = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
      const place = { REDIS_URL: redis.url, DATA_DIR: dataDirectory };
      servers = await Promise.all([
        startServerProcess({ ...place, OCR_WORKERS: '0' }),
        startServerProcess({ ...place, OCR_WORKERS: '1' }),
        startServerProcess({ ...place, OCR_WORKERS: '0', OCR_JOURNAL_BYTES: '2048' }),
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

    /** Uploads until `done`, one after the other, and notes what it was answered. */
    async function load(visitor: Visitor, { url }: ServerProcess, into: Uploads, done: () => boolean): Promise<void> {
      const file = await page('HelloGoogle.tif');
      while (!done()) {
        const form = new FormData();
        form.set('file', new Blob([new Uint8Array(file)]), 'page.tif');
        const answer = await visitor.fetch(`${url}/ocr/tasks`, { method: 'POST', body: form });
        const body = (await answer.json()) as { task_id: string };
        if (answer.status === 202) into.ids.push(body.task_id);
        else {
          expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
          into.refused++;
        }
        await pause(everyMs);
      }
    }

    it(
      'keeps people signed in, takes uploads up to the bound, and reads every one of them',
      { timeout: 2 * awayMs + 120_000 },
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
        const [ofAda, ofBob, ofEve] = [noUploads(), noUploads(), noUploads()];
        const loads = Promise.all([
          load(ada, first, ofAda, isOver),
          load(bob, second, ofBob, isOver),
          load(eve, bounded, ofEve, isOver),
        ]);
        await waitUntil('everybody to upload', () => [ofAda, ofBob, ofEve].every(({ ids }) => ids.length > 0), {
          timeoutMs: 20_000,
        });
        await redis.kill();
        const awayAtMs = Date.now();
        await waitUntil('everybody to notice', async () => !(await healthy()).includes(true), { timeoutMs: 5_000 });
        expect(new Set(await statuses('/ocr/me'))).toEqual(new Set([200]));
        expect(new Set(await statuses('/ocr/tasks'))).toEqual(new Set([503]));
        expect((await Visitor.signIn(first.url, 'new@example.org')).token).toBeUndefined();
        await pause(awayAtMs + awayMs - Date.now());
        await waitUntil('the bound to be reached', () => ofEve.refused > 0, { timeoutMs: 20_000 });
        expect(new Set(await statuses('/ocr/me'))).toEqual(new Set([200]));
        await redis.restart();
        await waitUntil('everybody to be well', async () => !(await healthy()).includes(false), { timeoutMs: 15_000 });
        over = true;
        await loads;

        // Nobody was refused but by the bound.
        expect([ofAda.refused, ofBob.refused]).toEqual([0, 0]);
        expect(Math.min(ofAda.ids.length, ofBob.ids.length)).toBeGreaterThan(ofEve.ids.length);
        await ada.whenDone(second.url, ofAda.ids, awayMs + 40_000);
        await bob.whenDone(first.url, ofBob.ids, awayMs + 40_000);
        await eve.whenDone(first.url, ofEve.ids, awayMs + 40_000);
        const total = ofAda.ids.length + ofBob.ids.length + ofEve.ids.length;
        const stats = (await (await ada.fetch(`${first.url}/ocr/stats`)).json()) as { tasks: object };
        expect(stats.tasks).toEqual({ total, completed: total, failed: 0 });
        await Promise.all(servers.map((server) => server.end('SIGTERM')));
        expect((await readdir(join(dataDirectory, 'ocr'))).filter((name) => name.startsWith('journal'))).toEqual([]);
      },
    );
  });
}
