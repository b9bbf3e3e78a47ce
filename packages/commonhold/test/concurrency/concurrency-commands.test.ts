import { describe, expect, it } from 'vitest';
import { countCommands } from '../../src/testing/command-count.js';
import { redisEngine } from '../../src/testing/engine.js';
import { useServer } from '../engines.js';

describe('commands of a concurrency limit', () => {
  const server = useServer();
  const script = [expect.stringMatching(/^EVALSHA /)];

  it('are one an operation, given or refused; one that waits is woken and asks once more', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const limit = (await engine.open()).concurrency('l', 1);
      // The server learns the scripts.
      await (await limit.acquire('other'))?.release();
      await limit.count('other');
      expect(await countCommands(server(), () => limit.count('s'))).toEqual(script);
      const held = await limit.acquire('s');
      expect(await countCommands(server(), () => limit.acquire('s'))).toEqual(script);
      expect(await countCommands(server(), () => Promise.resolve(held?.release()))).toEqual(script);
      const waited = await countCommands(server(), async () => {
        const first = await limit.acquire('s');
        const second = limit.acquire('s', { wait: '1m' });
        await limit.count('s');
        await first?.release();
        await (await second)?.release();
      });
      expect(waited).toHaveLength(6);
      const ttlMs = await server().command('KEYS', '*concurrency*');
      expect(ttlMs).toEqual([]);
    } finally {
      await engine.close();
    }
  });

  it('leave keys that end by themselves', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const state = await engine.open();
      const limit = state.concurrency('l', 1);
      await limit.acquire('s');
      const waiting = limit.acquire('s', { wait: '1m' }).catch(() => undefined);
      while ((await limit.count('s')).waiting === 0);
      const keys = (await server().command('KEYS', `${state.namespace}:concurrency:{l:s}*`)) as unknown[];
      expect(keys).toHaveLength(3);
      for (const key of keys) expect(Number(await server().command('PTTL', String(key)))).toBeGreaterThan(0);
      await state.close();
      await waiting;
    } finally {
      await engine.close();
    }
  });
});
