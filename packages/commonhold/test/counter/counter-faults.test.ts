import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { redisEngine } from '../../src/testing/engine.js';
import { startRedisServer } from '../../src/testing/redis-server.js';
import { useServer } from '../engines.js';
import { runLossy } from '../lost-replies.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a counter whose replies are lost', { timeout: 60_000 }, () => {
  const server = useServer();

  it('G3, CN: is exact over 2,000 adds with operation ids', async () => {
    const { unknown } = await runLossy(server(), 'exact', (state) => {
      const counter = state.counter('c', { daily: { keep: '7d' }, away: 'throw' });
      return (n) => counter.add(1, { operationId: `call ${n}` });
    });
    expect(unknown).toBeGreaterThanOrEqual(20);
    expect(await server().command('GET', 'exact:counter:{c}')).toBe('2000');
    expect(await server().command('HVALS', 'exact:counter:{c}:days')).toEqual(['2000']);
  });

  it('counts too much without them: what the ids are for', async () => {
    const { unknown } = await runLossy(server(), 'more', (state) => () => state.counter('c', { away: 'throw' }).add());
    expect(unknown).toBeGreaterThanOrEqual(20);
    expect(Number(await server().command('GET', 'more:counter:{c}'))).toBeGreaterThanOrEqual(2_020);
  });

  it('says that an add with an id may be done again, and that one without may not', async () => {
    const own = await startRedisServer();
    const state = await openState({ namespace: 'n', redis: own.url, log });
    try {
      const counter = state.counter('c', { away: 'throw' });
      await counter.add(1, { operationId: 'known' });
      own.pause();
      const [plain, once, reset] = await Promise.allSettled([
        counter.add(),
        counter.add(1, { operationId: 'a' }),
        counter.reset({ operationId: 'r' }),
      ]);
      expect(plain).toMatchObject({ reason: { code: 'OutcomeUnknown', retrySafe: false } });
      expect(once).toMatchObject({ reason: { code: 'OutcomeUnknown', retrySafe: true } });
      expect(reset).toMatchObject({ reason: { code: 'OutcomeUnknown', retrySafe: true } });
    } finally {
      own.resume();
      await state.close();
      await own.stop();
    }
  });

  it('is refused at once when there is no connection', async () => {
    const own = await startRedisServer();
    const engine = await redisEngine(own).start();
    try {
      const counter = (await engine.open()).counter('c', { away: 'throw' });
      await counter.add(1, { operationId: 'a' });
      await own.kill();
      await expect(counter.add(1, { operationId: 'b' })).rejects.toMatchObject({
        code: expect.stringMatching(/Unavailable|OutcomeUnknown/),
      });
      await expect(counter.add(1, { operationId: 'b' })).rejects.toMatchObject({ code: 'Unavailable' });
    } finally {
      await engine.close();
      await own.stop();
    }
  });
});
