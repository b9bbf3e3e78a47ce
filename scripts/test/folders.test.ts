import { describe, expect, it } from 'vitest';
import { guardDepth, guardFeatureFolders, guardLength, guardNames } from '../guards/folders.mjs';
import { objections } from './planted.js';

const lines = (count: number): string => 'x\n'.repeat(count);

describe('guardLength', () => {
  it('allows 400 lines and refuses 401, in every kind of source', () => {
    const kinds = ['a.ts', 'b.test.ts', 'c.mjs', 'd.lua', 'e.js', 'f.css', 'g.html'];
    expect(objections(guardLength, Object.fromEntries(kinds.map((name) => [name, lines(400)])))).toEqual([]);
    expect(objections(guardLength, Object.fromEntries(kinds.map((name) => [name, lines(401)])))).toHaveLength(
      kinds.length,
    );
  });

  it('leaves documents and data alone', () => {
    expect(objections(guardLength, { 'guide.md': lines(500), 'package-lock.json': lines(500) })).toEqual([]);
  });
});

describe('guardDepth', () => {
  it('allows three folders below src and refuses four', () => {
    expect(objections(guardDepth, { 'packages/p/src/a/b/c/file.ts': '' })).toEqual([]);
    expect(objections(guardDepth, { 'packages/p/src/a/b/c/d/file.ts': '' })).toHaveLength(1);
  });
});

describe('guardNames', () => {
  it.each([
    'src/utils/a.ts',
    'src/helpers.ts',
    'test/Helper.test.ts',
    'src/types.ts',
    'docs/misc.md',
    'src/common/a.ts',
    'managers/a.ts',
  ])('refuses %s', (path) => {
    expect(objections(guardNames, { [path]: '' })).toHaveLength(1);
  });

  it('allows a name that only contains such a word', () => {
    expect(objections(guardNames, { 'src/typed-arrays.ts': '', 'packages/commonhold/a.ts': '' })).toEqual([]);
  });
});

describe('guardFeatureFolders', () => {
  const folder = 'packages/commonhold/src/lock/';
  const whole = ['lock.ts', 'lock-port.ts', 'lock-operations.ts', 'memory-lock.ts', 'redis-lock.ts', 'lua/acquire.lua'];

  const verdict = (names: string[]): string[] =>
    objections(guardFeatureFolders, Object.fromEntries(names.map((name) => [folder + name, ''])));

  it('allows the expected names and others beside them', () => {
    expect(verdict([...whole, 'lock-lease.ts'])).toEqual([]);
  });

  it.each(whole.filter((name) => name !== 'lock-port.ts'))('misses %s', (gone) => {
    const missing = gone.replace('acquire.lua', '');
    expect(verdict(whole.filter((name) => name !== gone))).toEqual([
      `${folder}${missing}:1: missing; every feature has it`,
    ]);
  });
});
