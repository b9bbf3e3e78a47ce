import { describe, expect, it } from 'vitest';
import type { SharedState } from '../../src/shared-state.js';
import { redisEngine } from '../../src/testing/engine.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { useServer } from '../engines.js';

const server = useServer();

async function withState(body: (state: SharedState, key: string, redis: RedisServer) => Promise<void>): Promise<void> {
  const engine = await redisEngine(server()).start();
  try {
    const state = await engine.open();
    await body(state, `${state.namespace}:unique-set:{s}`, server());
  } finally {
    await engine.close();
  }
}

describe('the key of a unique set', () => {
  it('is a SET, as redis-cli shows it, with native expiry', () =>
    withState(async (state, key, redis) => {
      await state.uniqueSet('s', { ttl: '1h' }).add(['b', 'a']);
      expect(await redis.command('TYPE', key)).toBe('set');
      expect(((await redis.command('SMEMBERS', key)) as string[]).toSorted()).toEqual(['a', 'b']);
      const ttlMs = Number(await redis.command('PTTL', key));
      expect(ttlMs).toBeGreaterThan(3_590_000);
      expect(ttlMs).toBeLessThanOrEqual(3_600_000);
    }));

  it('never expires without ttl, and may have been written by SADD', () =>
    withState(async (state, key, redis) => {
      await redis.command('SADD', key, 'a');
      const set = state.uniqueSet('s', { ttl: '1h' });
      expect(await set.add(['a', 'b'])).toBe(1);
      expect(await set.add('c')).toBe(1);
      expect(await redis.command('PTTL', key)).toBe(-1);
    }));

  it('S3.2: is the documented one with a prefix, for programs that read and write it', () =>
    withState(async (state, _, redis) => {
      const { namespace } = state;
      const sockets = state.uniqueSet('ada', { prefix: `${namespace}:user-sockets`, ttl: '1h' });
      await sockets.add(['socket-1', 'socket-2']);
      const key = `${namespace}:user-sockets:ada`;
      expect(await redis.command('SISMEMBER', key, 'socket-1')).toBe(1);
      await redis.command('SADD', key, 'socket-3');
      expect(await sockets.has('socket-3')).toBe(true);
      expect(await redis.command('KEYS', `${namespace}:user-sockets*`)).toEqual([key]);
      expect(await sockets.clear()).toBe(3);
      expect(await redis.command('EXISTS', key)).toBe(0);
    }));
});

describe('a key that a unique set did not write', () => {
  const calls: Readonly<Record<string, (state: SharedState) => Promise<unknown>>> = {
    add: (state) => state.uniqueSet('s').add('a'),
    'add with ttl': (state) => state.uniqueSet('s', { ttl: '1h' }).add('a'),
    has: (state) => state.uniqueSet('s').has('a'),
    hasMany: (state) => state.uniqueSet('s').hasMany(['a']),
    count: (state) => state.uniqueSet('s').count(),
    members: (state) => state.uniqueSet('s').page(),
    delete: (state) => state.uniqueSet('s').delete('a'),
    clear: (state) => state.uniqueSet('s').clear(),
  };

  for (const [name, call] of Object.entries(calls)) {
    it(`is CorruptState to ${name}, and stays as it is`, () =>
      withState(async (state, key, redis) => {
        await redis.command('RPUSH', key, 'x');
        await expect(call(state)).rejects.toMatchObject({ code: 'CorruptState' });
        expect(await redis.command('LRANGE', key, 0, -1)).toEqual(['x']);
        expect(await redis.command('PTTL', key)).toBe(-1);
      }));
  }
});
