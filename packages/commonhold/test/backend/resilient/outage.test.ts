import { describe, expect, it } from 'vitest';
import { startRedisServer } from '../../../src/testing/redis-server.js';
import { openState } from '../../../src/open-state.js';
import { useOutages } from '../../outage.js';

describe('an outage', { timeout: 120_000 }, () => {
  const start = useOutages();

  it('is told once when it begins and once when it ends, in events and in the log', async () => {
    const site = await start();
    const state = await site.open();
    const told: string[] = [];
    state.on('degraded', () => void told.push('degraded'));
    state.on('recovered', () => void told.push('recovered'));
    await site.leave();
    await site.comeBack();
    expect(told).toEqual(['degraded', 'recovered']);
    const own = site.log.lines;
    expect(own).toEqual(['Running without Redis', 'Running with Redis again']);
  });

  it('takes writes up to the bound in bytes, and refuses those beyond', async () => {
    const site = await start();
    const state = await site.open({ journal: { maxBytes: 1_000_000 } });
    await site.leave();
    const results = { taken: 0, refused: 0 };
    for (let number = 0; number < 20_000; number++) {
      await state
        .counter(`c${number}`)
        .add()
        .then(
          () => results.taken++,
          (error: { code: string }) => (expect(error.code).toBe('Overloaded'), results.refused++),
        );
    }
    expect(results.taken).toBeGreaterThan(1_000);
    expect(results.refused).toBeGreaterThan(10_000);
    const { journal } = state.status();
    expect(journal?.bytes).toBeLessThanOrEqual(1_000_000);
    expect(journal?.entries).toBe(results.taken);
    await site.comeBack();
    expect(((await site.server.command('KEYS', 'n:counter:{c*}')) as string[]).length).toBe(results.taken);
  });

  it('ends for what was written while the state closes, if Redis is back by then', async () => {
    const site = await start();
    const state = await site.open();
    await site.leave();
    await state.counter('c').add(3);
    await site.comeBack();
    await state.close();
    expect(await site.server.command('GET', 'n:counter:{c}')).toBe('3');
  });

  it('brings what was written to a server that was away from the start', async () => {
    const server = await startRedisServer();
    await server.kill();
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using state = await openState({ namespace: 'n', redis: server.url, log });
    expect(await state.counter('c').add(4)).toBe(4);
    await server.restart();
    await expect.poll(() => state.status().connected, { timeout: 20_000 }).toBe(true);
    expect(await server.command('GET', 'n:counter:{c}')).toBe('4');
    await server.stop();
  });
});
