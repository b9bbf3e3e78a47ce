import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensurePackages, satisfies } from '../packages.mjs';
import { plantFolder } from './planted.js';

const lock = (packages: object): string => JSON.stringify({ packages });
const a = { version: '1.0.0', integrity: 'sha512-a' };
const otherPlatform = process.platform === 'linux' ? 'darwin' : 'linux';

describe('satisfies', () => {
  it.each([
    ['the same', { 'node_modules/a': a }, { 'node_modules/a': a }, true],
    ['another version', { 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } }, false],
    ['other content', { 'node_modules/a': a }, { 'node_modules/a': { ...a, integrity: 'sha512-b' } }, false],
    ['one missing', { 'node_modules/a': a, 'node_modules/b': a }, { 'node_modules/a': a }, false],
    ['one missing further down', { 'packages/p/node_modules/a': a }, {}, false],
    ['a workspace, which is no package to install', { 'packages/p': {} }, {}, true],
    ['a binary of another platform', { 'node_modules/a': { ...a, optional: true, os: [otherPlatform] } }, {}, true],
    ['an optional package for no platform in particular', { 'node_modules/a': { ...a, optional: true } }, {}, true],
    ['a binary of this platform', { 'node_modules/a': { ...a, optional: true, os: [process.platform] } }, {}, false],
  ])('%s', (_name, wanted, installed, expected) => {
    expect(satisfies(lock(wanted), lock(installed))).toBe(expected);
  });

  it('is false where npm left no record', () => {
    expect(satisfies(lock({}), undefined)).toBe(false);
  });
});

/** A stand-in for npm on the PATH: it notes its arguments and ends as told. */
function plantWithNpm(exitCode: number, files: Record<string, string>): string {
  const folder = plantFolder(files);
  const npm = `#!/bin/sh\nmkdir -p node_modules\necho "$@" >> ${folder}/npm-calls\nexit ${exitCode}\n`;
  vi.stubEnv('PATH', `${plantFolder({ npm })}:${process.env.PATH}`);
  return folder;
}

const calls = (folder: string): number =>
  existsSync(join(folder, 'npm-calls')) ? readFileSync(join(folder, 'npm-calls'), 'utf8').trim().split('\n').length : 0;

describe('ensurePackages', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue());
  afterEach(() => void vi.unstubAllEnvs());

  it('installs once, and again only when the lock file changed', () => {
    const folder = plantWithNpm(0, { 'package-lock.json': lock({ 'node_modules/a': a }) });
    ensurePackages(folder);
    ensurePackages(folder);
    expect(calls(folder)).toBe(1);
    writeFileSync(join(folder, 'package-lock.json'), lock({ 'node_modules/b': a }));
    ensurePackages(folder);
    expect(calls(folder)).toBe(2);
    expect(readFileSync(join(folder, 'npm-calls'), 'utf8')).toContain('ci --ignore-scripts');
  });

  it('leaves alone what a developer installed', () => {
    const text = lock({ 'node_modules/a': a });
    const folder = plantWithNpm(0, { 'package-lock.json': text, 'node_modules/.package-lock.json': text });
    ensurePackages(folder);
    expect(calls(folder)).toBe(0);
  });

  it('fails when npm fails, and tries again the next time', () => {
    const folder = plantWithNpm(1, { 'package-lock.json': lock({ 'node_modules/a': a }) });
    expect(() => ensurePackages(folder)).toThrow('npm ci failed');
    expect(() => ensurePackages(folder)).toThrow('npm ci failed');
    expect(calls(folder)).toBe(2);
  });
});
