import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { build } from '../build.mjs';
import { link, plantFolder } from './planted.js';

const config = {
  compilerOptions: {
    composite: true,
    rootDir: 'src',
    outDir: 'dist',
    module: 'nodenext',
    types: [],
    declaration: true,
  },
  include: ['src'],
};

/** A workspace with one package, and a test project that does not compile and must not matter here. */
function plantWorkspace(): string {
  const folder = plantFolder({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': '{ "files": [], "references": [{ "path": "packages/p" }, { "path": "packages/p/test" }] }',
    'packages/p/tsconfig.json': JSON.stringify(config),
    'packages/p/test/tsconfig.json': '{ "include": ["."] }',
    'packages/p/test/broken.test.ts': "const x: number = 'text';",
    'packages/p/src/index.ts': 'export const one: number = 1;\n',
    'packages/p/src/old.ts': 'export const old: number = 0;\n',
    'packages/p/src/lock/lua/acquire.lua': 'return 1\n',
    'packages/p/src/page/index.html': '<p>page</p>\n',
    'packages/p/src/page/parts/style.css': 'p {}\n',
    'packages/p/src/notes.txt': 'stays here\n',
  });
  link(folder, 'node_modules/typescript');
  link(folder, 'node_modules/@typescript');
  return folder;
}

describe('build', () => {
  it('compiles the sources and places the assets where they stood', () => {
    const folder = plantWorkspace();
    build(folder);
    const dist = join(folder, 'packages/p/dist');
    for (const file of ['index.js', 'index.d.ts', 'lock/lua/acquire.lua', 'page/index.html', 'page/parts/style.css']) {
      expect(existsSync(join(dist, file)), file).toBe(true);
    }
    expect(existsSync(join(dist, 'notes.txt'))).toBe(false);
  });

  it('copies what changed and touches nothing else', () => {
    const folder = plantWorkspace();
    build(folder);
    const script = 'packages/p/dist/lock/lua/acquire.lua';
    const unchanged = ['packages/p/dist/page/index.html', 'packages/p/dist/index.js'];
    const before = unchanged.map((file) => statSync(join(folder, file)).ctimeMs);
    writeFileSync(join(folder, 'packages/p/src/lock/lua/acquire.lua'), 'return 2\n');
    build(folder);
    expect(readFileSync(join(folder, script), 'utf8')).toBe('return 2\n');
    expect(unchanged.map((file) => statSync(join(folder, file)).ctimeMs)).toEqual(before);
  });

  it('removes what a removed source left behind', () => {
    const folder = plantWorkspace();
    build(folder);
    const left = ['old.js', 'old.d.ts', 'page/parts/style.css'].map((file) => join(folder, 'packages/p/dist', file));
    expect(left.map((file) => existsSync(file))).toEqual([true, true, true]);
    rmSync(join(folder, 'packages/p/src/old.ts'));
    rmSync(join(folder, 'packages/p/src/page/parts/style.css'));
    build(folder);
    expect(left.map((file) => existsSync(file))).toEqual([false, false, false]);
    expect(existsSync(join(folder, 'packages/p/dist/index.js'))).toBe(true);
  });

  it('fails when a source does not compile', () => {
    const folder = plantWorkspace();
    writeFileSync(join(folder, 'packages/p/src/index.ts'), "export const one: number = 'text';\n");
    expect(() => build(folder)).toThrow('do not compile');
  });
});
