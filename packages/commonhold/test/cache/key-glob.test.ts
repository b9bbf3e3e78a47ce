import { describe, expect, it } from 'vitest';
import { compileKeyGlob } from '../../src/cache/key-glob.js';
import { useServer } from '../engines.js';

const keys = ['', 'a', 'b', 'ab', 'abc', 'a*c', '[a]', 'a-c', '\\', 'xaybzc', 'é', '^', ']', 'user:1'];
const patterns = [
  '*',
  '?',
  'a*',
  '*c',
  'a?c',
  '[abc]',
  '[a-c]*',
  '[^a]',
  '[c-a]',
  'a\\*c',
  '\\[a\\]',
  '*a*b*c',
  '\\\\',
];
patterns.push(
  '[a',
  '[\\a-*',
  '[a-]',
  '[a-]b]',
  '[^',
  '[^a-',
  '[',
  'a[]',
  '[]]',
  '**',
  'a**c',
  '\\',
  '[\\]]',
  'user:*',
  '[^^]',
  'x*z?',
);

describe('patterns for keys', () => {
  const server = useServer();

  it('fit what they fit in Redis', async () => {
    for (const pattern of patterns) {
      const { fits, prefix } = compileKeyGlob(pattern);
      for (const key of keys.filter((one) => one !== '' && one !== 'é')) {
        await server().command('SET', key, '1');
        const found = JSON.stringify(await server().command('KEYS', pattern)).includes(JSON.stringify(key));
        await server().command('DEL', key);
        expect(fits(key), `${pattern} and ${key}`).toBe(found);
        if (found) expect(key.startsWith(prefix)).toBe(true);
      }
    }
  });

  it('take a character for a character, not a byte', () => {
    expect(compileKeyGlob('?').fits('é')).toBe(true);
    expect(compileKeyGlob('?').fits('😀')).toBe(true);
  });

  it('take bounded time', () => {
    const sinceMs = performance.now();
    expect(compileKeyGlob('a*'.repeat(400)).fits(`${'a'.repeat(5_000)}b`)).toBe(true);
    expect(compileKeyGlob(`${'a*'.repeat(400)}c`).fits('a'.repeat(5_000))).toBe(false);
    expect(performance.now() - sinceMs).toBeLessThan(1_000);
  });

  it('are refused when empty, too long or not well formed', () => {
    for (const pattern of ['', 'x'.repeat(1_001), '\ud800', 5 as never]) {
      expect(() => compileKeyGlob(pattern)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    }
  });
});
