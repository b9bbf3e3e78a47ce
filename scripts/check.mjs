/** Runs every check, prints one line for each and all that the failed ones said. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { placeAssets } from './build.mjs';

/** @typedef {{ name: string, command: string[] }} Check */
/** @typedef {{ name: string, ok: boolean, output: string, seconds: number }} Result */

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (/** @type {string} */ name) => `${root}node_modules/.bin/${name}`;

/** First, since others read what it writes. @type {Check} */
const types = { name: 'types', command: [bin('tsc'), '-b', '.', 'scripts'] };

/** @type {Check[]} */
const others = [
  { name: 'format', command: [bin('oxfmt'), '--check'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings', '--report-unused-disable-directives'] },
  { name: 'unused', command: [bin('knip'), '--no-progress'] },
  { name: 'exports', command: [process.execPath, 'scripts/exports.mjs'] },
  { name: 'layout', command: [process.execPath, 'scripts/layout.mjs'] },
  { name: 'promises', command: [process.execPath, 'scripts/requirements.mjs'] },
];

/** @returns {Promise<Result>} */
function run(/** @type {Check} */ { name, command: [program = '', ...args] }) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const finish = (/** @type {boolean} */ ok) =>
      resolve({ name, ok, output, seconds: (performance.now() - startedAt) / 1000 });
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

function print(/** @type {Result} */ { name, ok, output, seconds }) {
  console.log(`${name.padEnd(8)} ${ok ? 'ok' : 'FAILED'} ${seconds.toFixed(1)} s`);
  if (!ok) console.log(output.trimEnd());
}

const results = [await run(types)];
results.forEach(print);
// The types check wrote the compiled files; the exports check wants the assets beside them.
placeAssets(root);
for (const pending of others.map(run)) {
  const result = await pending;
  results.push(result);
  print(result);
}
const failed = results.filter((result) => !result.ok).map((result) => result.name);
console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
