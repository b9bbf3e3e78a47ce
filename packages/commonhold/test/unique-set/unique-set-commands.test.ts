import { describe, expect, it } from 'vitest';
import { countCommands } from '../../src/testing/command-count.js';
import { redisEngine } from '../../src/testing/engine.js';
import { useServer } from '../engines.js';

describe('commands of a unique set', () => {
  const server = useServer();
  const script = [expect.stringMatching(/^EVALSHA /)];

  it('are one an operation, plain ones where a plain one does', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const state = await engine.open();
      const set = state.uniqueSet('plain');
      const ttl = state.uniqueSet('ttl', { ttl: '1h' });
      const many = Array.from({ length: 5_000 }, (_, n) => `m${n}`);
      const work = {
        add: [() => set.add('a'), ['SADD']],
        'add many': [() => set.add(many), ['SADD']],
        'add with ttl': [() => ttl.add('a'), script],
        'add many with ttl': [() => ttl.add(many), script],
        has: [() => set.has('a'), ['SISMEMBER']],
        'has many': [() => set.hasMany(many), ['SMISMEMBER']],
        count: [() => set.count(), ['SCARD']],
        members: [() => set.page(), ['SSCAN']],
        delete: [() => set.delete(many), ['SREM']],
        clear: [() => set.clear(), script],
        nothing: [() => Promise.all([set.add([]), set.hasMany([]), set.delete([])]), []],
        '1.2 MB': [() => set.add(Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(60_000))), ['SADD', 'SADD']],
        'one more than a step takes': [() => set.add([...many, 'a']), ['SADD', 'SADD']],
      } as const;
      for (const [name, [call, expected]] of Object.entries(work)) {
        await call(); // The server learns the script.
        expect(await countCommands(server(), () => call()), name).toEqual(expected);
      }
    } finally {
      await engine.close();
    }
  });
});
