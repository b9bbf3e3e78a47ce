import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { link, plantFolder, root } from './planted.js';

const compilerOptions = {
  composite: true,
  rootDir: 'src',
  outDir: 'dist',
  module: 'nodenext',
  types: ['node'],
  lib: ['es2023'],
};
const nothingToInstall = '{ "packages": {} }';

/** A copy of the scripts in a workspace with nothing to install or to compile, and a server that is given. */
function plantClone(main: string, node = '>=20.19.0'): string {
  const folder = plantFolder({
    'package.json': JSON.stringify({ type: 'module', engines: { node } }),
    'package-lock.json': nothingToInstall,
    'node_modules/.package-lock.json': nothingToInstall,
    'tsconfig.json': '{ "files": [], "references": [{ "path": "packages/server" }] }',
    'packages/server/tsconfig.json': JSON.stringify({ compilerOptions, include: ['src'] }),
    'packages/server/src/main.ts': main,
  });
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
  for (const name of ['typescript', '@typescript', '@types', 'undici-types']) link(folder, `node_modules/${name}`);
  return folder;
}

function bootstrap(folder: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [join(folder, 'scripts/bootstrap.mjs'), ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('bootstrap start', () => {
  it('builds, then is the server: arguments, output and exit code', () => {
    const folder = plantClone('console.log(process.argv.slice(1).join(" "), process.cwd());\nprocess.exitCode = 7;\n');
    const { status, stdout, stderr } = bootstrap(folder, 'start', '--port', '0');
    expect(stderr).toBe('');
    expect(stdout).toBe(`${join(folder, 'packages/server/dist/main.js')} --port 0 ${folder}\n`);
    expect(status).toBe(7);
  });

  it('hands a signal to the server', async () => {
    const main =
      "process.once('SIGTERM', () => { console.log('drained'); process.exit(3); });\nsetInterval(() => {}, 1000);\nconsole.log('up');\n";
    const child = spawn(process.execPath, [join(plantClone(main), 'scripts/bootstrap.mjs'), 'start'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (text.includes('up')) child.kill('SIGTERM');
    });
    expect(await once(child, 'close')).toEqual([3, null]);
    expect(output).toBe('up\ndrained\n');
  });

  it('does not start what does not compile', () => {
    const { status, stdout, stderr } = bootstrap(
      plantClone("const x: number = 'text';\nconsole.log('started');\n"),
      'start',
    );
    expect({ status, stdout: stdout.includes('started') }).toEqual({ status: 1, stdout: false });
    expect(stderr).toContain('main.ts(1,7)');
    expect(stderr).toContain('The build failed');
  });
});

describe('bootstrap', () => {
  it('refuses a Node that is too old, in one sentence', () => {
    const { status, stderr } = bootstrap(plantClone('', '>=99.0.0'), 'start');
    expect(status).toBe(1);
    expect(stderr).toBe(
      `Node 99.0.0 or later is needed; this is ${process.versions.node}. Get it from https://nodejs.org.\n`,
    );
  });

  it('ends a test run that could not begin with the closing line', () => {
    const { status, stdout } = bootstrap(plantClone("const x: number = 'text';\n"), 'test');
    expect([status, stdout]).toEqual([1, '0 passed, 0 failed\n']);
  });

  it.each([[[]], [['serve']], [['toString']]])('explains itself when asked for %j', (args) => {
    const { status, stderr } = bootstrap(plantClone(''), ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/\bstart\|.*\btest\|.*\bcheck$/m);
  });

  it('is what the npm scripts run', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(scripts).toMatchObject({
      start: 'exec node scripts/bootstrap.mjs start',
      test: 'exec node scripts/bootstrap.mjs test',
      check: 'exec node scripts/bootstrap.mjs check',
    });
  });
});
