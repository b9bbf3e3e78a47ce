import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createMemoryStore, openState, type SharedState } from '../src/index.js';
import { OpenedNames } from '../src/opened-names.js';

async function withState(body: (state: SharedState) => void): Promise<void> {
  await using state = await openState({ memory: createMemoryStore() });
  body(state);
}

const invalid = expect.objectContaining({ code: 'InvalidArgument' });

describe('a name that was opened before', () => {
  it('takes the same options, and refuses others naming both', () =>
    withState((state) => {
      state.cache('a', { ttl: '1h' });
      state.cache('a', { ttl: 3_600_000 });
      state.cache('a', { ttl: '60m' });
      expect(() => state.cache('a', { ttl: '2h' })).toThrow(
        'cache a, ttl: expected "1h", with which it was opened before, received "2h"',
      );
      expect(() => state.cache('a')).toThrow(
        'cache a, ttl: expected "1h", with which it was opened before, received undefined',
      );
      expect(() => state.cache('a', { ttl: '1h', near: true })).toThrow(
        'cache a, near: expected undefined, with which it was opened before, received true',
      );
      state.cache('b', { near: { maxEntries: 10 } });
      expect(() => state.cache('b', { near: { maxEntries: 11 } })).toThrow(
        'cache b, near.maxEntries: expected 10, with which it was opened before, received 11',
      );
    }));

  it('is the same for every feature but rate limits, whose rules may differ by call', () =>
    withState((state) => {
      const opened: ((again: boolean) => unknown)[] = [
        (again) => state.cache('x', again ? { ttl: 1_000 } : {}),
        (again) => state.channel('x', again ? { keepCount: 5 } : {}),
        (again) => state.concurrency('x', again ? 1 : 2),
        (again) => state.counter('x', again ? { ttl: 1_000 } : {}),
        (again) => state.map('x', again ? { changes: true } : {}),
        (again) => state.presence('x', again ? { silence: '1m' } : {}),
        (again) => state.queue('x', again ? { limits: { concurrency: 2 } } : { limits: { concurrency: 1 } }),
        (again) => state.lock('x', again ? { lease: '20s' } : {}),
        (again) => state.runOnce('x', again ? { keep: '1m' } : {}),
        (again) => state.sessions('x', again ? { idle: '1m' } : {}),
        (again) => state.uniqueSet('x', again ? { ttl: '1m' } : {}),
      ];
      for (const open of opened) {
        open(false);
        open(false);
        expect(() => open(true)).toThrow(invalid);
      }
      state.rateLimit('x', '5 per hour');
      state.rateLimit('x', '100 per day');
    }));

  it('is another under another prefix', () =>
    withState((state) => {
      state.map('a', { prefix: 'one', ttl: '1h' });
      state.map('a', { prefix: 'two' });
      expect(() => state.map('a', { prefix: 'two', ttl: '1h' })).toThrow(invalid);
    }));

  it('takes schemas and functions as they come, made anew each time', () =>
    withState((state) => {
      for (let time = 0; time < 2; time++) state.cache('a', { schema: z.object({ n: z.number() }) });
      expect(() => state.cache('a')).toThrow(invalid);
    }));

  it('is not remembered with options that were refused, nor changed with an object that changes', () =>
    withState((state) => {
      expect(() => state.cache('a', { ttl: 0 })).toThrow(invalid);
      const options = { ttl: '1h' as '1h' | '2h' };
      state.cache('a', options);
      options.ttl = '2h';
      expect(() => state.cache('a', options)).toThrow(invalid);
    }));

  it('is forgotten with the state', async () => {
    await withState((state) => void state.lock('a', { lease: '1m' }));
    await withState((state) => void state.lock('a'));
  });

  it('costs no memory beyond the first thousand of a feature', () => {
    const names = new OpenedNames();
    const open = (name: string, options: object): unknown => names.open('lock', name, options, () => 1);
    for (let id = 0; id < 2_000; id++) open(`convert:${id}`, { lease: 1_000 });
    expect(() => open('convert:999', {})).toThrow(invalid);
    expect(open('convert:1000', {})).toBe(1);
    expect(names.open('queue', 'q', {}, () => 2)).toBe(2);
    expect(() => names.open('queue', 'q', { notices: true }, () => 2)).toThrow(invalid);
  });
});
