import { describe, expect, it } from 'vitest';
import { problemsOf } from '../package-exports.mjs';
import { plantFolder } from './planted.js';

const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' };
const whole = { 'dist/index.js': '', 'dist/index.d.ts': '' };

function verdict(manifest: object, files: Record<string, string> = whole): string[] {
  return problemsOf(
    plantFolder({ ...files, 'package.json': JSON.stringify({ name: 'p', files: ['dist'], ...manifest }) }),
  );
}

describe('problemsOf', () => {
  it('finds nothing in a package whose exports are there', () => {
    expect(verdict({ exports })).toEqual([]);
    expect(verdict({})).toEqual([]);
  });

  it('finds an export without its file', () => {
    expect(verdict({ exports }, { 'dist/index.js': '' })).toEqual([
      'p: ".": ./dist/index.d.ts does not exist after the build',
    ]);
  });

  it('finds an export without types, or with types that come too late', () => {
    const late = { '.': { default: './dist/index.js', types: './dist/index.d.ts' } };
    expect(verdict({ exports: { '.': './dist/index.js' } })).toEqual(['p: ".": the first condition is not "types"']);
    expect(verdict({ exports: late })).toEqual(['p: ".": the first condition is not "types"']);
  });

  it('finds an export that would not be published', () => {
    expect(verdict({ exports, files: ['dist/index.js'] })).toEqual(['p: ".": ./dist/index.d.ts is not in "files"']);
  });

  it('finds an entry of files that does not exist', () => {
    expect(verdict({ exports, files: ['dist', 'LICENSE'] })).toEqual([
      'p: "files" names LICENSE, which does not exist',
    ]);
  });
});
