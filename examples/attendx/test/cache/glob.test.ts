import { compileGlob } from 'commonhold/glob';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownRedis } from '../homes.js';

describe('patterns of keys', () => {
  const redis = ownRedis();

  it.each([
    ['*', 'anything', true],
    ['user:*', 'user:123', true],
    ['user:*', 'session:123', false],
    ['user:*', 'user', false],
    ['h?llo', 'hello', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hallo', true],
    ['[a-c]*', 'bee', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
  ])('%s and %s: %s', (pattern, key, expected) => {
    expect(compileGlob(pattern)(key)).toBe(expected);
  });

  it('S1.5: means what the same pattern means to Redis', async () => {
    await redis.server.command('FLUSHALL');
    const letters = fc.constantFrom('a', 'b', 'c', ':', '-', '*', '?', '[', ']', '^', '\\');
    const word = fc.array(letters, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
    const checks = fc.asyncProperty(
      word,
      fc.uniqueArray(word, { minLength: 1, maxLength: 12 }),
      async (pattern, keys) => {
        await redis.server.command('FLUSHALL');
        await redis.server.command('MSET', ...keys.flatMap((key) => [key, '1']));
        const found = (await redis.server.command('KEYS', pattern)) as unknown as (string | Buffer)[];
        expect(keys.filter(compileGlob(pattern)).toSorted()).toEqual(found.map(String).toSorted());
      },
    );
    await fc.assert(checks, { numRuns: 1_500 });
  });

  it('takes a long key and many stars in little time', () => {
    const startedAtMs = performance.now();
    expect(compileGlob(`${'*a'.repeat(40)}b`)('a'.repeat(4_000))).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });
});
