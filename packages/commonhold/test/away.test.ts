import { describe, expect, it } from 'vitest';
import { type AwayDefaults, awayDefaults } from '../src/away.js';
import { openState } from '../src/open-state.js';
import { freePort } from '../src/testing/free-port.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the choice of what is done without Redis', () => {
  it('is by feature as the docs say, the last one for all where all are to throw, or one named', () => {
    expect(awayDefaults('away')).toMatchObject({ cache: 'open', map: 'buffer', plainMap: 'buffer', session: 'stale' });
    expect(awayDefaults('away', 'throw')).toMatchObject({ cache: 'throw', rateLimit: 'closed', session: 'closed' });
    expect(awayDefaults('away', { map: 'stale' })).toMatchObject({ map: 'stale', plainMap: 'stale', cache: 'open' });
  });

  it.each<[AwayDefaults, string]>([
    ['other' as 'throw', "away: expected 'throw' or a choice by feature"],
    [{ lock: 'memory' } as AwayDefaults, 'away: expected only the options cache, channel'],
    [{ map: 'open' as 'stale' }, "away, map: expected 'buffer' or 'stale' or 'throw'"],
  ])('refuses %o', async (away, message) => {
    await expect(openState({ away })).rejects.toThrow(message);
  });

  it('holds for all uses of a state that choose nothing', async () => {
    const redis = `redis://127.0.0.1:${await freePort()}`;
    await using state = await openState({ redis, log, namespace: 'n', away: { counter: 'throw' } });
    await expect(state.counter('c').add()).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await state.counter('d', { away: 'buffer' }).add()).toBe(1);
    expect(await state.uniqueSet('s').add('a')).toBe(1);
    await expect(state.with({ namespace: 'a' }).counter('c').add()).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
