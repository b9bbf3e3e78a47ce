import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { dayName, dayNumber } from '../../src/counter/days.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import type { SharedState } from '../../src/shared-state.js';
import { useServer } from '../engines.js';

const server = useServer();
const daily = { daily: { keep: '30d' } } as const;
const hourly = { ttl: '1h' } as const;

async function withState(
  body: (state: SharedState, key: string, redis: RedisServer, engine: Engine) => Promise<void>,
): Promise<void> {
  const engine: Engine = await redisEngine(server()).start();
  try {
    const state = await engine.open();
    await body(state, `${state.namespace}:counter:{c}`, server(), engine);
  } finally {
    await engine.close();
  }
}

describe('the keys of a counter', () => {
  it('are a number, and a hash by day, as redis-cli shows them', () =>
    withState(async (state, key, redis) => {
      await state.counter('c', { ttl: '1h', daily: { keep: '2d' } }).add(5);
      expect(await redis.command('GET', key)).toBe('5');
      const ttlMs = Number(await redis.command('PTTL', key));
      expect(ttlMs).toBeGreaterThan(3_590_000);
      expect(ttlMs).toBeLessThanOrEqual(3_600_000);
      const [time] = (await redis.command('TIME')) as [string, string];
      const today = new Date(Number(time) * 1_000).toISOString().slice(0, 10);
      expect(await redis.command('HGETALL', `${key}:days`)).toEqual([today, '5']);
      const keptMs = Number(await redis.command('PTTL', `${key}:days`));
      expect(keptMs).toBeGreaterThan(2 * 86_400_000);
      expect(keptMs).toBeLessThanOrEqual(3 * 86_400_000);
    }));

  it('are one more for ten minutes, for an operation with an id', () =>
    withState(async (state, key, redis) => {
      await state.counter('c').add(5, { operationId: 'o:1' });
      expect(await redis.command('GET', `${key}:operation:o%3A1`)).toBe('5 5');
      const keptMs = Number(await redis.command('PTTL', `${key}:operation:o%3A1`));
      expect(keptMs).toBeGreaterThan(590_000);
      expect(keptMs).toBeLessThanOrEqual(600_000);
    }));

  it('never expire without ttl, and may have been written by INCR', () =>
    withState(async (state, key, redis) => {
      await redis.command('INCRBY', key, 41);
      expect(await state.counter('c').add()).toBe(42);
      expect(await redis.command('PTTL', key)).toBe(-1);
    }));

  it('lose the days that are no longer kept', async () => {
    const engine = await redisEngine(server()).start();
    const state = await engine.open();
    const counter = state.counter('c', { daily: { keep: '1d' } });
    for (let day = 0; day < 6; day++) {
      await counter.add();
      await engine.advance(86_400_000);
    }
    await counter.add();
    const kept = Number(await server().command('HLEN', `${state.namespace}:counter:{c}:days`));
    await engine.close();
    expect(kept).toBeLessThanOrEqual(3);
  });
});

describe('a key that a counter did not write', () => {
  const calls = {
    'a plain add': (state: SharedState) => state.counter('c').add(),
    'an add with ttl': (state: SharedState) => state.counter('c', hourly).add(),
    'an add with days': (state: SharedState) => state.counter('c', daily).add(),
    'an add with an id': (state: SharedState) => state.counter('c', daily).add(1, { operationId: 'a' }),
    'a reset with an id': (state: SharedState) => state.counter('c').reset({ operationId: 'a' }),
    get: (state: SharedState) => state.counter('c').get(),
    reset: (state: SharedState) => state.counter('c').reset(),
  };

  for (const [name, call] of Object.entries(calls)) {
    it(`is CorruptState to ${name}, and stays as it is`, () =>
      withState(async (state, key, redis) => {
        await redis.command('RPUSH', key, 'x');
        await expect(call(state)).rejects.toMatchObject({ code: 'CorruptState' });
        expect(await redis.command('LRANGE', key, 0, -1)).toEqual(['x']);
        for (const text of ['text', '', '1.5', '007', ' 1', '-0']) {
          await redis.command('SET', key, text);
          await expect(call(state)).rejects.toMatchObject({ code: 'CorruptState' });
          expect(await redis.command('GET', key)).toBe(text);
        }
        expect(await redis.command('EXISTS', `${key}:days`)).toBe(0);
      }));
  }

  it('is not added to beyond the exact range, and not read as another number', () =>
    withState(async (state, key, redis, engine) => {
      const differing = await Promise.all(
        [{}, hourly, daily].map(async (options) => (await engine.open()).counter('c', options)),
      );
      for (const text of ['9007199254740992', '9223372036854775807', '-9223372036854775808']) {
        await redis.command('SET', key, text);
        for (const counter of differing) {
          await expect(counter.add(Math.sign(Number(text)))).rejects.toMatchObject({
            code: 'Overloaded',
          });
        }
        await expect(state.counter('c').get()).rejects.toMatchObject({ code: 'CorruptState' });
        await expect(state.counter('c').reset()).rejects.toMatchObject({ code: 'CorruptState' });
        expect(await redis.command('GET', key)).toBe(text);
      }
    }));

  it('is CorruptState where the days should be, and the total stays', () =>
    withState(async (state, key, redis) => {
      const counter = state.counter('c', daily);
      await counter.add(3);
      await redis.command('SET', `${key}:days`, 'x');
      await expect(counter.add()).rejects.toMatchObject({ code: 'CorruptState' });
      await expect(counter.series({ days: 1 })).rejects.toMatchObject({ code: 'CorruptState' });
      expect(await counter.get()).toBe(3);
    }));
});

describe('operations on a full server', () => {
  it('take back nothing: an add is refused as a whole, a reset is done and remembered', () =>
    withState(async (state, key, redis) => {
      const counter = state.counter('c', { ...daily, away: 'throw' });
      await counter.add(3);
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      try {
        await expect(counter.add(1, { operationId: 'a' })).rejects.toMatchObject({ code: 'Overloaded' });
        expect(await redis.command('GET', key)).toBe('3');
        expect(await counter.reset({ operationId: 'r' })).toBe(3);
        expect(await counter.reset({ operationId: 'r' })).toBe(3);
      } finally {
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      }
      expect(await counter.add(1, { operationId: 'a' })).toBe(1);
    }));
});

describe('an add that had to be taken back and could not', () => {
  it('is OutcomeUnknown, not refused', () =>
    withState(async (state, key, redis) => {
      await redis.command('SET', key, String(Number.MAX_SAFE_INTEGER));
      await redis.command('ACL', 'SETUSER', 'default', '-decrby');
      try {
        await expect(state.counter('c').add()).rejects.toMatchObject({ code: 'OutcomeUnknown', retrySafe: false });
      } finally {
        await redis.command('ACL', 'SETUSER', 'default', '+decrby');
      }
      expect(await redis.command('GET', key)).toBe('9007199254740992');
    }));
});

describe('the days of the store', () => {
  it('are those of the calendar, through eight centuries', async () => {
    const source = readFileSync(new URL('../../src/counter/lua/civil.lua', import.meta.url), 'utf8');
    const script = `${source}
      local names = {}
      for day = tonumber(ARGV[1]), tonumber(ARGV[2]) do names[#names + 1] = civil(day) end
      return table.concat(names, ' ')`;
    const [first, last] = [dayNumber('1600-01-01') ?? 0, dayNumber('2400-12-31') ?? 0];
    const names = String(await server().command('EVAL', script, 0, first, last)).split(' ');
    const expected = Array.from({ length: last - first + 1 }, (_, index) => dayName(first + index));
    expect(names).toEqual(expected);
    expect(expected).toContain('2000-02-29');
    expect(expected).not.toContain('2100-02-29');
  });
});
