import { describe, expect, it } from 'vitest';
import { eventually } from '../src/testing/waiting.js';
import { useServer } from './engines.js';
import { runLossy } from './lost-replies.js';

/** 2,000 calls, of which 20 at least lose their reply, and so do those that are under way with them. */
const calls = 2_000;

describe('calls whose replies are lost', () => {
  const server = useServer();
  const countOf = async (key: string): Promise<number> =>
    Number.parseInt(String(await server().command('GET', key)), 10);

  it.each(['throw', 'buffer'] as const)(
    'a counter that is to %s counts each once by its operation id',
    async (away) => {
      const { unknown } = await runLossy(server(), away, (state) => {
        const counter = state.counter('c', { away });
        return (n) => counter.add(1, { operationId: `call ${n}` });
      });
      const key = `${away}:counter:{c}`;
      await eventually(async () => expect(await countOf(key)).toBe(calls)).catch(() => undefined);
      const count = await countOf(key);
      console.log(`counter, away ${away}, with ids: ${calls} calls, ${unknown} outcomes unknown, ${count} counted`);
      expect(count).toBe(calls);
    },
  );

  it('a counter counts too much without ids', async () => {
    const { unknown } = await runLossy(server(), 'none', (state) => () => state.counter('c', { away: 'throw' }).add());
    const count = await countOf('none:counter:{c}');
    console.log(`counter, without ids: ${calls} calls, ${unknown} outcomes unknown, ${count} counted`);
    expect(count).toBeGreaterThan(calls);
  });

  it('a limiter counts each hit once by its operation id, and too much without', async () => {
    for (const ids of [true, false]) {
      const namespace = `limit-${ids}`;
      const { unknown } = await runLossy(server(), namespace, (state) => {
        const limit = state.rateLimit('l', '9999 per day', { away: 'closed' });
        return (n) => limit.consume('s', ids ? { operationId: `call ${n}` } : {});
      });
      const count = await countOf(`${namespace}:rate-limit:{l:s}:fixed-window:86400000`);
      console.log(
        `limiter, ${ids ? 'with' : 'without'} ids: ${calls} calls, ${unknown} outcomes unknown, ${count} counted`,
      );
      if (ids) expect(count).toBe(calls);
      else expect(count).toBeGreaterThan(calls);
    }
  });
});
