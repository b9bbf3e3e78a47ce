import { expect, it, onTestFinished } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.js';
import { eventually } from '../../src/testing/waiting.js';
import { onEveryKind, post } from './keyed-sites.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function open(): Promise<{ server: RedisServer; state: SharedState }> {
  const server = await startRedisServer();
  const state = await openState({ namespace: 'outage', redis: server.url, log });
  onTestFinished(async () => {
    server.resume();
    await state.close();
    await server.stop();
  });
  return { server, state };
}

onEveryKind((start) => {
  it('K9: without the store refuses requests with a key, runs none of them, and serves the others', async () => {
    const { server, state } = await open();
    let ran = 0;
    const site = await start(state, {}, () => ({ body: `ran ${(ran += 1)}` }));
    await post(site, 'key');
    await server.kill();
    const refused = await post(site, 'other');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect((await post(site, 'key')).status).toBe(503);
    expect(ran).toBe(1);
    expect((await post(site, undefined)).text).toBe('ran 2');
    await server.restart();
    await eventually(async () => expect((await post(site, 'other')).status).toBe(200), { timeoutMs: 8_000 });
  });

  it('sends an answer that cannot be kept yet, and keeps it when the store is back', async () => {
    const { server, state } = await open();
    let ran = 0;
    const site = await start(state, {}, () => {
      ran += 1;
      server.pause();
      return { status: 201, body: `ran ${ran}` };
    });
    const startedAt = performance.now();
    const first = await post(site, 'key');
    expect([first.status, first.text]).toEqual([201, 'ran 1']);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    server.resume();
    await eventually(
      async () => {
        const again = await post(site, 'key');
        expect([again.status, again.replayed]).toEqual([201, true]);
      },
      { timeoutMs: 8_000 },
    );
    expect(ran).toBe(1);
  });
});
