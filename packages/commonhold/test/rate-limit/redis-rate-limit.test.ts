import { describe, expect, it } from 'vitest';
import { redisEngine } from '../../src/testing/engine.js';
import type { RateLimit } from '../../src/rate-limit/rate-limit.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { useServer } from '../engines.js';

const server = useServer();

async function withLimit(body: (limit: RateLimit, key: string, redis: RedisServer) => Promise<void>): Promise<void> {
  const engine = await redisEngine(server()).start();
  try {
    const state = await engine.open();
    const key = `${state.namespace}:rate-limit:{enroll:%3A%3A1}:fixed-window:3600000`;
    await body(state.rateLimit('enroll', '2 per hour'), key, server());
  } finally {
    await engine.close();
  }
}

describe('the key of a window', () => {
  it('is the units used and when it began, and ends with the window', () =>
    withLimit(async (limit, key, redis) => {
      const { atMs } = await limit.consume('::1');
      await limit.consume('::1');
      await limit.consume('::1');
      expect(await redis.command('GET', key)).toBe(`2@${atMs}`);
      const leftMs = Number(await redis.command('PTTL', key));
      expect(leftMs).toBeGreaterThan(3_590_000);
      expect(leftMs).toBeLessThan(3_600_000);
    }));

  it('counts by the time in it: one that lost its end does not block for ever', () =>
    withLimit(async (limit, key, redis) => {
      const { atMs } = await limit.consume('::1', { weight: 2 });
      await redis.command('SET', key, `2@${atMs - 3_599_000}`);
      expect((await limit.consume('::1')).allowed).toBe(false);
      await redis.command('SET', key, `2@${atMs - 3_600_000}`);
      expect(await limit.peek('::1')).toMatchObject({ allowed: true, remaining: 2, resetMs: 0 });
      await limit.reset('::1');
      await redis.command('SET', key, `2@${atMs - 3_600_000}`);
      expect(await limit.consume('::1')).toMatchObject({ allowed: true, remaining: 1, resetMs: 3_600_000 });
      expect(Number(await redis.command('PTTL', key))).toBeGreaterThan(3_590_000);
    }));

  it('from a time to come counts from now: a clock that went back blocks for one window at most', () =>
    withLimit(async (limit, key, redis) => {
      const { atMs } = await limit.consume('::1');
      await redis.command('SET', key, `2@${atMs + 86_400_000}`);
      expect((await limit.consume('::1')).retryAfterMs).toBe(3_600_000);
    }));

  it('is not written by a refused hit', () =>
    withLimit(async (limit, key, redis) => {
      await limit.consume('::1', { weight: 2 });
      const written = async (): Promise<string | undefined> =>
        /rdb_changes_since_last_save:(\d+)/.exec(String(await redis.command('INFO', 'persistence')))?.[1];
      const before = await written();
      for (let hit = 0; hit < 5; hit++) expect((await limit.peek('::1')).allowed).toBe(false);
      expect((await limit.consume('::1')).allowed).toBe(false);
      expect(await written()).toBe(before);
      await redis.command('DEL', key);
      expect(await written()).not.toBe(before);
    }));
});

describe('a key that a limiter did not write', () => {
  it('is CorruptState, and admits nobody', () =>
    withLimit(async (limit, key, redis) => {
      await redis.command('RPUSH', key, 'x');
      await expect(limit.consume('::1')).rejects.toMatchObject({ code: 'CorruptState' });
      await expect(limit.peek('::1')).rejects.toMatchObject({ code: 'CorruptState' });
      for (const text of [
        'text',
        '',
        ' ',
        '2',
        '-5@1',
        '1e3@1',
        '1@',
        '@1',
        '0@1',
        '01@1',
        '1@1 1@2',
        '99999999999999999@1',
        '1@99999999999999999',
      ]) {
        await redis.command('SET', key, text);
        await expect(limit.consume('::1')).rejects.toMatchObject({ code: 'CorruptState' });
        await expect(limit.peek('::1')).rejects.toMatchObject({ code: 'CorruptState' });
        expect(await redis.command('GET', key)).toBe(text);
      }
    }));

  it('in place of a block is CorruptState as well', () =>
    withLimit(async (limit, key, redis) => {
      const block = key.replace('fixed-window:3600000', 'block');
      await redis.command('SET', block, 'soon');
      await expect(limit.consume('::1')).rejects.toMatchObject({ code: 'CorruptState' });
      await limit.block('::1', '1m');
      expect(await limit.consume('::1')).toMatchObject({ allowed: false, reason: 'blocked' });
      expect(Number(await redis.command('PTTL', block))).toBeLessThan(60_000);
    }));
});
