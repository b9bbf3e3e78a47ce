import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Guard } from '../../src/guard.js';
import type { SharedState } from '../../src/shared-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { useServer } from '../engines.js';

describe('commands of guarded calls', () => {
  const server = useServer();
  let engine: Engine;
  let state: SharedState;
  let guard: Guard;
  beforeEach(async () => {
    engine = await redisEngine(server()).start();
    state = await engine.open();
    guard = await state.lock('l').run((held) => held.guard);
  });
  afterEach(() => engine.close());

  const count = async (work: () => Promise<unknown>): Promise<string[]> =>
    (await countCommands(server(), work, { ignore: ['EVAL'] })).map((command) => command.replace(/ .*/, ''));

  it('are one script each, and the others are what they were', async () => {
    const [map, counter, queue] = [state.map<number>('m'), state.counter('c'), state.queue<number>('q')];
    const calls: readonly ((guard: Guard | undefined) => Promise<unknown>)[] = [
      (by) => map.get('k', by && { guard: by }),
      (by) => map.getMany(['k'], by && { guard: by }),
      (by) => map.set('k', 1, { guard: by }),
      (by) => map.delete('k', { guard: by }),
      (by) => counter.add(1, by && { guard: by }),
      (by) => counter.get(by && { guard: by }),
      (by) => counter.reset({ guard: by }),
      (by) => queue.add(1, { guard: by }),
    ];
    const unguarded = ['HGET', 'HGET', 'EVALSHA', 'EVALSHA', 'INCRBY', 'GET', 'EVALSHA', 'EVALSHA'];
    for (const [index, call] of calls.entries()) {
      expect(await count(() => call(guard)), String(call)).toEqual(['EVALSHA']);
      expect(await count(() => call(undefined)), String(call)).toEqual([unguarded[index]]);
    }
  });

  it('jobs of one turn share a step where they share a guard', async () => {
    const queue = state.queue<number>('q');
    const other = await state.lock('other').run((held) => held.guard);
    const guards = [guard, { ...guard }, guard, other, other, undefined, undefined, guard];
    const added = await count(() => queue.addMany(guards.map((by, data) => ({ data, guard: by }))));
    expect(added).toEqual(['EVALSHA', 'EVALSHA', 'EVALSHA', 'EVALSHA']);
    expect((await queue.totals()).total).toBe(8);
  });

  it('run also when memory is full, where they free and the token is known', async () => {
    const map = state.map<number>('m');
    await map.set('k', 1, { guard });
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(map.set('k', 2, { guard })).rejects.toMatchObject({ code: 'Overloaded' });
      expect(await map.delete('k', { guard })).toBe(true);
    } finally {
      await server().command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('leave one key that ends by itself beside each resource', async () => {
    await state.map<number>('m').set('k', 1, { guard });
    const keys = (await server().command('KEYS', `${state.namespace}:*fence*`)) as string[];
    expect(keys).toEqual([`${state.namespace}:map:{m}:fence:l`]);
    expect(await server().command('GET', String(keys[0]))).toBe(guard.token);
    const leftMs = Number(await server().command('PTTL', String(keys[0])));
    expect(leftMs).toBeGreaterThan(172_000_000);
    expect(leftMs).toBeLessThanOrEqual(172_800_000);
  });
});
