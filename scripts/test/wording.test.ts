import { describe, expect, it } from 'vitest';
import { guardDocstrings, guardMachinePaths, guardNotes, guardTypes } from '../guards/wording.mjs';
import { objections } from './planted.js';

describe('guardTypes', () => {
  it.each([
    'let x: any;',
    'const x = y as any;',
    'type X = Record<string, any>;',
    'function f(x: any[]) {}',
    '// @ts-ignore the types are wrong\nf();',
    '// @ts-expect-error\nf();',
    '// oxlint-disable-next-line no-console\nf();',
    '/* eslint-disable */',
  ])('refuses %s', (text) => {
    expect(objections(guardTypes, { 'src/a.ts': text })).toHaveLength(1);
  });

  it.each([
    'const x = Promise.any([]);',
    '/** any: of any kind */\nconst text = "as any";',
    '// @ts-expect-error the client types lack this field\nf();',
    '// oxlint-disable-next-line no-console -- the command line prints\nf();',
  ])('allows %s', (text) => {
    expect(objections(guardTypes, { 'src/a.ts': text })).toEqual([]);
  });
});

describe('guardNotes', () => {
  it.each(['// TODO: later', '# FIXME'])('refuses %s', (text) => {
    expect(objections(guardNotes, { 'docs/a.md': `first line\n${text}` })).toEqual([
      expect.stringContaining('docs/a.md:2: '),
    ]);
  });

  it('allows words that contain one', () => {
    expect(objections(guardNotes, { 'a.ts': 'const TODOS = 1;' })).toEqual([]);
  });
});

describe('guardMachinePaths', () => {
  it.each(['work', 'farm', 'root'])('refuses a path under %s', (folder) => {
    const path = ['', folder, 'main'].join('/');
    expect(objections(guardMachinePaths, { 'a.md': `see ${path}` })).toHaveLength(1);
  });

  it('allows the word inside an address', () => {
    expect(objections(guardMachinePaths, { 'a.md': ['https://example.org', 'work', 'x'].join('/') })).toEqual([]);
  });
});

describe('guardDocstrings', () => {
  const path = 'packages/commonhold/src/a.ts';

  it.each([
    'export const x = 1;',
    'export function f() {}',
    'export type T = 1;',
    '// note\nexport abstract class C {}',
  ])('refuses %s', (text) => {
    expect(objections(guardDocstrings, { [path]: text })).toEqual([
      expect.stringContaining('exported without a docstring'),
    ]);
  });

  it.each([
    '/** One. */\nexport const x = 1;',
    '/**\n * Two.\n */\nexport async function f() {}',
    '/** Both. */\nexport function f(x: 1): 1;\nexport function f(x: 2): 2;\nexport function f(x) {}',
    "export { x } from './x.js';",
  ])('allows %s', (text) => {
    expect(objections(guardDocstrings, { [path]: text })).toEqual([]);
  });
});
