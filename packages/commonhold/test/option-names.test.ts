import { afterAll, describe, expect, it } from 'vitest';
import { checkOptionNames } from '../src/option-names.js';
import { openState } from '../src/open-state.js';

const invalid = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'InvalidArgument', message: expect.stringMatching(message) });

/** As JavaScript passes it, which no compiler looked at. */
const loose = (options: object): never => options as never;

describe('a name that no option has', async () => {
  const state = await openState({ redis: false });
  afterAll(() => state.close());

  it('is refused with the names there are', () => {
    const names = { ttl: true, size: true } as const;
    expect(() => checkOptionNames('cache pages', { ttl: 1, size: 2 }, names)).not.toThrow();
    expect(() => checkOptionNames('cache pages', loose({ ttlMs: 1 }), names)).toThrow(
      invalid(/cache pages.*only the options ttl, size.*ttlMs/),
    );
    expect(() => checkOptionNames('cache pages', loose({ toString: 1 }), names)).toThrow(invalid(/toString/));
    expect(() => checkOptionNames('cache pages', 5 as never, names)).toThrow(invalid(/an object.*5/));
  });

  const makers: readonly (readonly [string, () => unknown])[] = [
    ['a cache', () => state.cache('c', loose({ ttlMs: 1 }))],
    ['a channel', () => state.channel('c', loose({ retention: 1 }))],
    ['a counter', () => state.counter('c', loose({ expire: 1 }))],
    ['the days of a counter', () => state.counter('c', { daily: loose({ keep: '1d', days: 1 }) })],
    ['a queue', () => state.queue('q', loose({ attempt: 1 }))],
    ['the backoff of a queue', () => state.queue('q', { backoff: loose({ max: 1 }) })],
    ['a backoff that is no object', () => state.queue('q', { backoff: '50ms' as never })],
    ['a limit', () => state.rateLimit('r', '1 per hour', loose({ denied: [] }))],
    ['a rule', () => state.rateLimit('r', loose({ limit: 1, window: '1h', burst: 1 }))],
    ['sessions', () => state.sessions('s', loose({ idleMs: 1 }))],
    ['a worker', () => state.queue('q').work(() => undefined, loose({ parallel: 1 }))],
    ['a worker without a handler', () => state.queue('q').work(undefined as never)],
  ];
  it.each(makers)('is refused by %s', (_, make) => {
    expect(make).toThrow(invalid(/expected/));
  });

  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['openState', () => openState(loose({ url: 'redis://127.0.0.1' }))],
    ['its redis', () => openState({ redis: loose({ url: 'redis://127.0.0.1:1', timeout: 1 }) })],
    ['a read of a cache', () => state.cache('c').get('k', loose({ old: true }))],
    ['clearing a cache', () => state.cache('c').clear(loose({ glob: '*' }))],
    ['a write of a cache', () => state.cache('c').set('k', 1, loose({ expire: 1 }))],
    ['clearing tags of a cache without', () => state.cache('c').clearTags(['t'])],
    ['tags in a cache without', () => state.cache('c').set('k', 1, { tags: ['t'] })],
    ['a job', () => state.queue('q').add(1, loose({ prio: 1 }))],
    ['a look', () => state.rateLimit('r', '1 per hour').peek('s', loose({ cost: 1 }))],
    ['a reset', () => state.rateLimit('r', '1 per hour').reset('s', loose({ weight: 1 }))],
    ['a hit', () => state.rateLimit('r', '1 per hour').consume('s', loose({ cost: 1 }))],
    ['a history', () => state.channel('c').history(loose({ count: 1 }))],
  ];
  it.each(calls)('is refused by %s, which does nothing', async (_, call) => {
    await expect(call()).rejects.toThrow(invalid(/expected/));
  });
});
