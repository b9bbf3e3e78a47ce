import { describe, expect, it } from 'vitest';
import { consumeAll } from '../../src/rate-limit/consume-all.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';
import { redisEngine } from '../../src/testing/engine.js';
import { startRedisServer } from '../../src/testing/redis-server.js';

describe('a limit without its store', () => {
  it('RL: admits nobody, waits for nothing, and still refuses those it knows', async () => {
    const server = await startRedisServer({});
    const engine = await redisEngine(server).start();
    try {
      const state = await engine.open();
      const limit = state.rateLimit('l', ['1 per minute', '1 per hour'], { allow: ['in'] });
      const admitted = await limit.consume('s');
      while (limit.counts().refusedLocally === 0) await limit.consume('s');
      await server.stop();
      const away = { code: 'Unavailable' };
      await expect(limit.consume('t')).rejects.toMatchObject(away);
      await expect(limit.consume('t', { wait: '1h' })).rejects.toMatchObject(away);
      await expect(limit.peek('s')).rejects.toMatchObject(away);
      await expect(limit.block('s', '1h')).rejects.toMatchObject(away);
      const both = [
        { limit, subject: 't' },
        { limit: state.rateLimit('m', '1 per hour'), subject: 't' },
      ];
      await expect(consumeAll(both)).rejects.toMatchObject(away);
      expect((await limit.consume('s')).allowed).toBe(false);
      expect((await limit.consume('in')).allowed).toBe(true);
      await expect(limit.refund('s', admitted)).rejects.toMatchObject(away);
      await expect(limit.reset('s')).rejects.toMatchObject(away);
    } finally {
      await engine.close();
      await server.stop();
    }
  });
});

describe('a limit on a full store', () => {
  it('refuses the hit as a whole: no rule has counted it', async () => {
    const memory = createMemoryStore({ maxBytes: 1_500 });
    const state = await openState({ namespace: 'n', memory });
    const limit = state.rateLimit('l', ['5 per hour', { algorithm: 'sliding-window', limit: 5, window: '1h' }]);
    let admitted = 0;
    const refused: string[] = [];
    for (let n = 0; n < 20; n++) {
      try {
        await limit.consume(`subject ${n}`);
        admitted += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'Overloaded' });
        refused.push(`subject ${n}`);
      }
    }
    expect(admitted).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    for (const subject of refused) {
      expect((await limit.peek(subject)).policies.map(({ remaining }) => remaining)).toEqual([5, 5]);
    }
    await state.close();
  });
});

describe('the memory of refusals', () => {
  it('is bounded, and the oldest make room', async () => {
    const state = await openState({ namespace: 'n', redis: false });
    const limit = state.rateLimit('l', '1 per hour');
    const refuse = async (subject: string): Promise<void> => void (await limit.consume(subject));
    for (let n = 0; n < 10_050; n++) {
      await refuse(`${n}`);
      await refuse(`${n}`);
    }
    const before = limit.counts();
    await refuse('5000');
    expect(limit.counts().refusedLocally).toBe(before.refusedLocally + 1);
    await refuse('1');
    expect(limit.counts().refused).toBe(before.refused + 1);
    await state.close();
  });
});
