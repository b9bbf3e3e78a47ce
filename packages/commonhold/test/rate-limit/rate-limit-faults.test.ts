import { describe, expect, it } from 'vitest';
import { consumeAll } from '../../src/rate-limit/consume-all.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import type { RateLimitRule } from '../../src/rate-limit/rule.js';
import { openState } from '../../src/open-state.js';
import { redisEngine } from '../../src/testing/engine.js';
import { startRedisServer } from '../../src/testing/redis-server.js';
import { useServer } from '../engines.js';
import { runLossy } from '../lost-replies.js';

describe('a limit without its store', () => {
  it('RL: admits nobody, waits for nothing, and still refuses those it knows', async () => {
    const server = await startRedisServer({});
    const engine = await redisEngine(server).start();
    try {
      const state = await engine.open();
      const limit = state.rateLimit('l', ['1 per minute', '1 per hour'], { allow: ['in'], away: 'closed' });
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
        { limit: state.rateLimit('m', '1 per hour', { away: 'closed' }), subject: 't' },
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

describe('a limit whose replies are lost', { timeout: 60_000 }, () => {
  const server = useServer();

  it('G3, RL: is exact over 2,000 hits with operation ids', async () => {
    const { unknown } = await runLossy(server(), 'exact', (state) => {
      const rules: RateLimitRule[] = ['9999 per day', { algorithm: 'sliding-window', limit: 9_999, window: '30d' }];
      const limit = state.rateLimit('l', rules, { away: 'closed' });
      return (n) => limit.consume('s', { operationId: `call ${n}` });
    });
    expect(unknown).toBeGreaterThanOrEqual(20);
    const used = await Promise.all(
      ['fixed-window:86400000', 'sliding-window:2592000000'].map((meter) =>
        server().command('GET', `exact:rate-limit:{l:s}:${meter}`),
      ),
    );
    // A sliding window has one part for each stretch of time in which there were hits.
    const units = used.map((text) => String(text).split(' '));
    expect(units.map((parts) => parts.reduce((sum, part) => sum + Number.parseInt(part, 10), 0))).toEqual([
      2_000, 2_000,
    ]);
  });

  it('counts too much without them: what the ids are for', async () => {
    const { unknown } = await runLossy(server(), 'more', (state) => {
      const limit = state.rateLimit('l', '9999 per day', { away: 'closed' });
      return () => limit.consume('s');
    });
    expect(unknown).toBeGreaterThanOrEqual(20);
    const used = String(await server().command('GET', 'more:rate-limit:{l:s}:fixed-window:86400000'));
    expect(Number.parseInt(used, 10)).toBeGreaterThanOrEqual(2_020);
  });

  it('admits as many as the limit when each is tried until it is answered', async () => {
    let admitted = 0;
    await runLossy(server(), 'limited', (state) => {
      const limit = state.rateLimit('l', '700 per day', { remember: false, away: 'closed' });
      return async (n) => {
        if ((await limit.consume('s', { operationId: `call ${n}` })).allowed) admitted += 1;
      };
    });
    expect(admitted).toBe(700);
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

describe('operations on a full store', () => {
  it('are counted and remembered, or neither', async () => {
    for (let maxBytes = 200; maxBytes < 3_000; maxBytes += 100) {
      const state = await openState({ namespace: 'n', memory: createMemoryStore({ maxBytes }) });
      const limit = state.rateLimit('l', ['5 per hour', { algorithm: 'sliding-window', limit: 5, window: '1h' }]);
      const hit = (): Promise<unknown> =>
        limit.consume('s', { operationId: 'a' }).then(
          ({ remaining }) => remaining,
          (error: { code: string }) => error.code,
        );
      const first = await hit();
      expect([await hit(), (await limit.peek('s')).remaining]).toEqual(first === 4 ? [4, 4] : ['Overloaded', 5]);
      await state.close();
    }
  });

  it('on Redis too, where a refund goes all the same', async () => {
    const server = await startRedisServer({});
    const engine = await redisEngine(server).start();
    try {
      const limit = (await engine.open()).rateLimit('l', '5 per hour', { away: 'closed' });
      const verdict = await limit.consume('s', { operationId: 'a', weight: 4 });
      await server.command('CONFIG', 'SET', 'maxmemory', '1');
      await expect(limit.consume('s', { operationId: 'b' })).rejects.toMatchObject({ code: 'Overloaded' });
      expect((await limit.peek('s')).remaining).toBe(1);
      expect(await limit.refund('s', verdict, { operationId: 'a' })).toBe(true);
      await server.command('CONFIG', 'SET', 'maxmemory', '0');
      expect((await limit.consume('s', { operationId: 'b' })).remaining).toBe(4);
    } finally {
      await engine.close();
      await server.stop();
    }
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
