import { describe, expect, it } from 'vitest';
import { LeaseLostError } from '../../src/errors.js';
import { redisEngine } from '../../src/testing/engine.js';
import { startRedisServer } from '../../src/testing/redis-server.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('a slot', () => {
  const server = useServer();

  it('is renewed while it is held, and its signal aborts when the process stood still for too long', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const limit = (await engine.open()).concurrency('l', 1, { lease: '1s' });
      const held = await limit.acquire('s');
      await pause(1_500);
      expect([held?.signal.aborted, (await limit.count('s')).used]).toEqual([false, 1]);
      await engine.advance(5_000);
      await eventually(() => expect(held?.signal.aborted).toBe(true));
      expect(held?.signal.reason).toBeInstanceOf(LeaseLostError);
      expect(await held?.release()).toBe(false);
    } finally {
      await engine.close();
    }
  });

  it('is never given without the store, and a set that is none is CorruptState', async () => {
    const own = await startRedisServer({});
    const engine = await redisEngine(own).start();
    try {
      const state = await engine.open();
      const limit = state.concurrency('l', 1);
      await own.command('SET', `${state.namespace}:concurrency:{l:s}`, 'text');
      await expect(limit.acquire('s')).rejects.toMatchObject({ code: 'CorruptState' });
      await own.stop();
      await expect(limit.acquire('t')).rejects.toMatchObject({ code: 'Unavailable' });
      await expect(limit.acquire('t', { wait: '1m' })).rejects.toMatchObject({ code: 'Unavailable' });
      await expect(limit.count('t')).rejects.toMatchObject({ code: 'Unavailable' });
    } finally {
      await engine.close();
      await own.stop();
    }
  });
});
