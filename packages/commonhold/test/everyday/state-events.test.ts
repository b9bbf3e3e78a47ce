import { afterEach, describe, expect, it } from 'vitest';
import { openState, type SharedState } from '../../src/index.js';
import { freePort } from '../../src/testing/free-port.js';
import { startFaultProxy } from '../../src/testing/fault-proxy.js';
import { startRedisServer } from '../../src/testing/redis-server.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const server = useServer();
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close();
});

function record(state: SharedState): string[] {
  const told: string[] = [];
  state.on('degraded', ({ reason }) => void told.push(reason === '' ? 'no reason' : 'degraded'));
  state.on('recovered', ({ awayMs }) => void told.push(awayMs > 0 ? 'recovered' : 'no time'));
  state.on('closed', () => void told.push('closed'));
  return told;
}

describe('events of a state', () => {
  it('tell of a connection that breaks and is mended, once each, to views too', async () => {
    const proxy = await startFaultProxy({ port: server().port });
    opened.push({ close: () => proxy.stop() });
    const state = await openState({ namespace: 'events', redis: `redis://127.0.0.1:${proxy.port}`, log: silent });
    opened.push(state);
    state.on('degraded', () => expect.fail('thrown'));
    const [told, view] = [record(state), record(state.with({ namespace: 'a' }))];
    proxy.reset();
    await waitUntil('the end of the break', () => told.includes('recovered'));
    expect(told).toEqual(['degraded', 'recovered']);
    expect(view).toEqual(['degraded', 'recovered']);
    await state.close();
    expect(told).toEqual(['degraded', 'recovered', 'closed']);
  });

  it('tell of a store that comes after the state, of which no loss was told', async () => {
    const port = await freePort();
    const state = await openState({ namespace: 'events', redis: `redis://127.0.0.1:${port}`, log: silent });
    opened.push(state);
    const told = record(state);
    expect(state.status().connected).toBe(false);
    const late = await startRedisServer({ port });
    opened.push({ close: () => late.stop() });
    await waitUntil('the connection', () => told.length > 0);
    expect(told).toEqual(['recovered']);
  });
});

describe('closing within a time', () => {
  it('does not wait for a store that hangs, and says that calls were in flight', async () => {
    const proxy = await startFaultProxy({ port: server().port });
    opened.push({ close: () => proxy.stop() });
    const redis = { url: `redis://127.0.0.1:${proxy.port}`, deadline: '30s' } as const;
    const state = await openState({ namespace: 'events', redis, log: silent });
    const told: unknown[] = [];
    state.on('closed', (report) => void told.push(report));
    proxy.blackhole();
    const call = state.counter('c').add(1);
    const settled = call.catch((error: unknown) => error);
    const report = await state.close({ timeoutMs: 50 });
    expect(report).toEqual({ abandoned: [{ feature: 'store', what: 'calls in flight' }] });
    expect(told).toEqual([report]);
    await expect(settled).resolves.toMatchObject({ code: 'OutcomeUnknown' });
  });
});
