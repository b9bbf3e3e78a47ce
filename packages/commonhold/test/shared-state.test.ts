import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../src/backend/memory/memory-store.js';
import { openState } from '../src/open-state.js';
import type { OpenOptions } from '../src/options.js';
import type { SharedState } from '../src/shared-state.js';
import { leakCheck } from '../src/testing/leak-check.js';
import { useServer } from './engines.js';
import { outcome, silentLog, timed } from './backend/redis/connected.js';

const server = useServer();
const open = (options: OpenOptions): Promise<SharedState> => openState({ environment: {}, log: silentLog, ...options });

const homes: [string, () => OpenOptions][] = [
  ['memory', () => ({})],
  ['a shared memory store', () => ({ memory: createMemoryStore() })],
  ['Redis', () => ({ redis: server().url })],
  ['a Redis that is away', () => ({ redis: 'redis://127.0.0.1:1' })],
];

describe.each(homes)('close, on %s', (_, options) => {
  it('has every later call reject with Closed, on features taken before and after', async () => {
    const state = await open(options());
    const cache = state.cache('c');
    await state.close();
    expect(await outcome(cache.get('k'))).toBe('Closed');
    expect(await outcome(cache.set('k', 1))).toBe('Closed');
    expect(await outcome(cache.getOrSet('k', () => 1))).toBe('Closed');
    expect(await outcome(cache.clear())).toBe('Closed');
    expect(await outcome(state.probe())).toBe('Closed');
    expect(() => state.cache('d')).toThrow(expect.objectContaining({ code: 'Closed' }));
  });

  it('twice is one close, and a block closes by itself', async () => {
    const state = await open(options());
    expect(state.close()).toBe(state.close());
    await state.close();
    let inner: SharedState;
    {
      await using block = await open(options());
      inner = block;
    }
    expect(await outcome(inner.probe())).toBe('Closed');
  });

  it('leaves no timer and no socket', async () => {
    await using leaks = leakCheck();
    void leaks;
    const chosen = options();
    const state = await open(chosen);
    await outcome(state.cache('c', { ttl: '1h' }).set('k', 1));
    await outcome(state.cache('c', { ttl: '1h' }).getOrSet('other', () => 1));
    await state.close();
    // A store that was given is not the state's to close.
    chosen.memory?.close();
  });
});

describe('close', () => {
  it('H.21: lets calls in flight end', async () => {
    const state = await open({ redis: server().url });
    const cache = state.cache<number>('closing');
    const calls = Array.from({ length: 300 }, (_, key) => outcome(cache.set(String(key), key)));
    await state.close();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([undefined]));
    await using other = await open({ redis: server().url });
    const keys = Array.from({ length: 300 }, (_, key) => String(key));
    expect((await other.cache<number>('closing').getMany(keys)).size).toBe(300);
  });

  it('lets who waits for a computation elsewhere go', async () => {
    const one = await open({ redis: server().url });
    await using two = await open({ redis: server().url });
    let finish: (value: number) => void = () => undefined;
    const computing = two
      .cache<number>('c')
      .getOrSet('slow', () => new Promise<number>((resolve) => (finish = resolve)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const waiting = outcome(one.cache<number>('c').getOrSet('slow', () => 2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { fairMs } = await timed(one.close());
    expect(fairMs).toBeLessThan(600);
    const { outcome: code, fairMs: waitedMs } = await timed(waiting);
    expect(code).toBe('Closed');
    expect(waitedMs).toBeLessThan(200);
    finish(1);
    expect(await computing).toBe(1);
  });

  it('H.2, H.21: ends within the deadline although Redis stopped answering', async () => {
    const state = await open({ redis: server().url });
    server().pause();
    try {
      const call = outcome(state.cache('c', { away: 'throw' }).set('k', 1));
      const { fairMs } = await timed(state.close());
      expect(fairMs).toBeLessThan(600);
      expect(await call).toBe('OutcomeUnknown');
    } finally {
      server().resume();
    }
  });

  it('leaves a shared store to the others', async () => {
    const memory = createMemoryStore();
    const [one, two] = [await open({ memory }), await open({ memory })];
    await one.cache('c').set('k', 1);
    await one.close();
    expect(await two.cache('c').get('k')).toBe(1);
    await two.close();
  });
});

describe('probe', () => {
  it('proves that the store takes writes', async () => {
    await using state = await open({ redis: server().url, namespace: 'probing' });
    await state.probe();
    const [before] = (await server().command('HMGET', 'probing:epoch:{0}', 'tick')) as string[];
    await state.probe();
    expect(Number(await server().command('HGET', 'probing:epoch:{0}', 'tick'))).toBeGreaterThan(Number(before));
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await outcome(state.probe())).toBe('Overloaded');
    await server().command('CONFIG', 'SET', 'maxmemory', '0');
    await state.probe();
  });
});

describe('the raw client', () => {
  it('X.6: is there on Redis and shares the connection', async () => {
    await using state = await open({ redis: server().url });
    const client = state.rawClient as { sendCommand(args: string[]): Promise<unknown> };
    expect(await client.sendCommand(['PING'])).toBe('PONG');
    await using memory = await open({});
    expect(memory.rawClient).toBeUndefined();
  });
});
