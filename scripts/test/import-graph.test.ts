import { describe, expect, it } from 'vitest';
import { guardCycles, importsOf } from '../guards/import-graph.mjs';
import { objections, planted } from './planted.js';

describe('guardCycles', () => {
  it('refuses a cycle, also one of types, and prints its way round', () => {
    const files = {
      'src/a.ts': "import { b } from './b.js';",
      'src/b.ts': "import { c } from './deep/c.js';",
      'src/deep/c.ts': "\nimport type { A } from '../a.js';",
    };
    expect(objections(guardCycles, files)).toEqual([
      'src/deep/c.ts:2: import cycle: src/a.ts -> src/b.ts -> src/deep/c.ts -> src/a.ts',
    ]);
  });

  it('refuses a file that imports itself', () => {
    expect(objections(guardCycles, { 'a.ts': "export * from './a.js';" })).toHaveLength(1);
  });

  it('allows two ways to one file', () => {
    const files = {
      'a.ts': "import './b.js';\nimport './c.js';",
      'b.ts': "import './d.js';",
      'c.ts': "import './d.js';",
      'd.ts': '',
    };
    expect(objections(guardCycles, files)).toEqual([]);
  });
});

describe('importsOf', () => {
  it('tells types, values, packages and dynamic imports apart', () => {
    const text = [
      "import type { A } from './a.js';",
      "import { type B } from './b.js';",
      "import { type C, c } from './c.js';",
      "import './d.js';",
      "export type { E } from './e.js';",
      "export * from '../f.mjs';",
      "const g = import('pkg/g');",
      'const h = import(name);',
    ].join('\n');
    const found = planted({ 'src/x.ts': text })
      .flatMap(importsOf)
      .map(({ to, specifier, typeOnly, dynamic }) => [to ?? specifier, typeOnly, dynamic]);
    expect(found).toEqual([
      ['src/a.ts', true, false],
      ['src/b.ts', true, false],
      ['src/c.ts', false, false],
      ['src/d.ts', false, false],
      ['src/e.ts', true, false],
      ['f.mjs', false, false],
      ['pkg/g', false, true],
    ]);
  });
});
