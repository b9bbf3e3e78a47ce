/**
 * Runs the faults of packages/commonhold/test/faults against every feature and prints the matrix. They run in a process of
 * their own, which any promise that is rejected unheard ends, and whose output is searched for what must not be printed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const library = join(root, 'packages/commonhold');
const secret = /canary-(?:password|value)-\w+/;

/** Compiles the library with its tests' faults into a folder that is removed at the end. */
function compile(/** @type {string} */ folder) {
  const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--noCheck', '--ignoreConfig'];
  const entries = ['src/index.ts', 'test/faults/main.ts', 'test/faults/worker.ts'].map((path) => join(library, path));
  const compiler = join(root, 'node_modules/.bin/tsc');
  execFileSync(compiler, [...options, '--rootDir', library, '--outDir', folder, ...entries], { stdio: 'inherit' });
  // Scripts are read from beside the compiled files.
  cpSync(join(library, 'src'), join(folder, 'src'), { recursive: true, filter: (path) => !path.endsWith('.ts') });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
}

/** Passes on what comes and says whether a secret was in it. */
function searched(/** @type {import('node:stream').Readable} */ from, /** @type {NodeJS.WriteStream} */ to) {
  let found = false;
  from.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    found ||= secret.test(text);
    to.write(text);
  });
  return () => found;
}

const folder = mkdtempSync(join(tmpdir(), 'commonhold-faults-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
compile(folder);
const program = ['--unhandled-rejections=strict', join(folder, 'test/faults/main.js'), ...process.argv.slice(2)];
const child = spawn(process.execPath, program, {
  stdio: ['ignore', 'pipe', 'pipe'],
  env: { ...process.env, FAULTS_PAGE: join(root, 'docs/faults.md') },
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
const leaks = [searched(child.stdout, process.stdout), searched(child.stderr, process.stderr)];
child.on('close', (code) => {
  const leaked = leaks.some((found) => found());
  if (leaked) console.log('A secret is in the output.');
  process.exit(leaked ? 1 : (code ?? 1));
});
