import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { link, plantFolder, root } from './planted.js';

const head = "import { beforeAll, describe, expect, it } from 'vitest';\n";
const passing = `${head}it('passes', () => expect(1).toBe(1));\n`;
const failing = `${head}it('fails', () => expect(1).toBe(2));\n`;

/** Runs the test command on planted test files and gives its exit code and last line. */
function run(files: Record<string, string>, args: string[] = [], ci = ''): [number | null, string | undefined] {
  const folder = plantFolder({ 'package.json': '{ "type": "module" }', ...files });
  link(folder, 'node_modules');
  const env = { PATH: process.env.PATH, HOME: folder, CI: ci };
  const command = [join(root, 'scripts/test.mjs'), ...args];
  const { status, stdout } = spawnSync(process.execPath, command, { cwd: folder, env, encoding: 'utf8' });
  return [status, stdout.trimEnd().split('\n').at(-1)];
}

describe('the closing line and the exit code', () => {
  it('of tests that pass', () => {
    expect(run({ 'a.test.ts': passing, 'b.test.ts': passing })).toEqual([0, '2 passed, 0 failed']);
  });

  it('of a test that fails', () => {
    expect(run({ 'a.test.ts': passing, 'b.test.ts': failing })).toEqual([1, '1 passed, 1 failed']);
  });

  it('of a file that cannot be loaded', () => {
    expect(run({ 'a.test.ts': passing, 'b.test.ts': "import './gone.js';" })).toEqual([1, '1 passed, 1 failed']);
  });

  it('of a hook that throws', () => {
    const hook = "describe('suite', () => { beforeAll(() => { throw new Error('hook'); }); it('x', () => {}); });";
    const [status, line] = run({ 'a.test.ts': passing + hook });
    expect(status).toBe(1);
    expect(line).toMatch(/^1 passed, [1-9] failed/);
  });

  it('of an error that no test caught', () => {
    const late = "it('is late', async () => { void Promise.reject(new Error('late')); await null; });";
    expect(run({ 'a.test.ts': head + late })).toEqual([1, '1 passed, 1 failed']);
  });

  it('of a skipped test, which CI does not accept', () => {
    const skipped = `${passing}it.skip('is skipped', () => {});\n`;
    expect(run({ 'a.test.ts': skipped })).toEqual([0, '1 passed, 0 failed, 1 skipped']);
    expect(run({ 'a.test.ts': skipped }, [], 'true')).toEqual([1, '1 passed, 0 failed, 1 skipped']);
  });

  it('of no tests at all', () => {
    expect(run({})).toEqual([1, '0 passed, 0 failed']);
    expect(run({ 'a.test.ts': passing }, ['no-such-file'])).toEqual([1, '0 passed, 0 failed']);
    expect(run({ 'a.test.ts': passing }, ['-t', 'no such name'])).toEqual([1, '0 passed, 0 failed, 1 skipped']);
  });

  it('of a configuration that is broken', () => {
    expect(run({ 'a.test.ts': passing, 'vitest.config.ts': 'throw new Error();' })).toEqual([1, '0 passed, 0 failed']);
  });
});
