import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runWorker } from '../../src/tasks/run-worker.js';
import { ownRedis } from '../homes.js';
import { startPlatform, temporaryDirectory } from '../platform.js';
import { fixture, longPage } from '../recognition/samples.js';

describe('a worker', () => {
  const redis = ownRedis();

  it('fails a task at once whose file turned out bad, in words for its owner', async () => {
    const platform = await startPlatform({ redisUrl: await redis.url(), variables: { OCR_WORKERS: '0' } });
    const client = await platform.signedIn();
    const id = await client.upload(fixture('HelloGoogle.tif'));
    const { file_id } = await client.task(id);
    await writeFile(join(platform.dataDirectory, 'ocr', 'files', file_id), 'no image');
    const worker = await runWorker({ REDIS_URL: redis.server.url, DATA_DIR: platform.dataDirectory });
    expect(await client.finished(id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      result: null,
      error: 'The file is not an image. Send PNG, JPEG, TIFF or WebP.',
    });
    await worker.close();
  });

  it('tries again where the file is not there, and names no path', async () => {
    const platform = await startPlatform({ redisUrl: await redis.url(), variables: { OCR_WORKERS: '0' } });
    const client = await platform.signedIn();
    const id = await client.upload(fixture('HelloGoogle.tif'));
    await rm(join(platform.dataDirectory, 'ocr', 'files'), { recursive: true });
    const worker = await runWorker({ REDIS_URL: redis.server.url, DATA_DIR: platform.dataDirectory });
    await expect.poll(async () => (await client.task(id)).error).toMatch(/share DATA_DIR/);
    expect(await client.task(id)).toMatchObject({ status: 'pending', attempts: 1 });
    expect((await client.task(id)).error).not.toContain(platform.dataDirectory);
    await worker.close();
  });

  it('that stops gives back what it cannot finish, with no attempt charged', async () => {
    const platform = await startPlatform({ redisUrl: await redis.url(), variables: { OCR_WORKERS: '0' } });
    const client = await platform.signedIn();
    const worker = await runWorker({ REDIS_URL: redis.server.url, DATA_DIR: platform.dataDirectory, OCR_WORKERS: '1' });
    const id = await client.upload(await longPage());
    await expect.poll(async () => (await client.task(id)).status).toBe('processing');
    const startedAtMs = performance.now();
    await worker.close();
    expect(performance.now() - startedAtMs).toBeLessThan(7_000);
    // A quick machine may have read the page within the grace.
    const { status, attempts } = await client.task(id);
    expect([
      ['pending', 0],
      ['completed', 1],
    ]).toContainEqual([status, attempts]);
  });

  it('does not start in memory, or with nothing to do', async () => {
    const DATA_DIR = await temporaryDirectory();
    await expect(runWorker({ DATA_DIR })).rejects.toThrow(/set REDIS_URL/);
    await expect(runWorker({ DATA_DIR, OCR_WORKERS: '0', REDIS_URL: redis.server.url })).rejects.toThrow(
      /nothing to do/,
    );
    await expect(runWorker({ DATA_DIR, OCR_WORKERS: 'many' })).rejects.toThrow(/OCR_WORKERS: expected a whole number/);
  });
});
