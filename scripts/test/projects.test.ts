import { describe, expect, it } from 'vitest';
import { guardLockFile, guardProjects } from '../guards/projects.mjs';
import { objections } from './planted.js';

describe('guardProjects', () => {
  it('refuses a project that the root does not name', () => {
    const files = {
      'tsconfig.json': '{ "references": [{ "path": "./packages/server" }] }',
      'packages/server/tsconfig.json': '{}',
      'packages/server/test/tsconfig.json': '{}',
    };
    expect(objections(guardProjects, files)).toEqual([
      'packages/server/test/tsconfig.json:1: not among the references of the root tsconfig.json',
    ]);
  });
});

/** A lock file in which `p` has two binaries, and those named are locked. */
const lock = (...names: string[]): Record<string, string> => {
  const entries = names.map((name) => [`node_modules/${name}`, { optional: true }]);
  const owner = { optionalDependencies: { '@p/linux': '1.0.0', '@p/darwin': '1.0.0' } };
  const packages = { 'node_modules/p': owner, ...Object.fromEntries(entries) };
  return { 'package-lock.json': JSON.stringify({ packages }) };
};

describe('guardLockFile', () => {
  it('wants the binaries of every platform', () => {
    expect(objections(guardLockFile, lock('@p/linux', '@p/darwin'))).toEqual([]);
    expect(objections(guardLockFile, lock('@p/linux'))).toEqual([
      'package-lock.json:1: @p/darwin is missing; take a version that is whole',
    ]);
  });
});
