/**
 * `npm start`, `npm test` and `npm run check`, from whatever state the clone is in: installs what is missing, builds
 * what changed, then becomes the command. Needs nothing but Node; says nothing when there is nothing to do.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** @typedef {{ programs: boolean, build: boolean, entry: string }} Command */

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * What each command needs before it, and the module that it then is.
 * @type {Map<string, Command>}
 */
const commands = new Map([
  ['ocr', { programs: false, build: true, entry: 'examples/ocr-platform/dist/main.js' }],
  ['ocr-worker', { programs: false, build: true, entry: 'examples/ocr-platform/dist/worker.js' }],
  ['rose-tracker', { programs: false, build: true, entry: 'examples/rose-tracker/dist/main.js' }],
  ['rose-tracker-replay', { programs: false, build: true, entry: 'examples/rose-tracker/dist/replay.js' }],
  ['attendx', { programs: false, build: true, entry: 'examples/attendx/dist/main.js' }],
  ['attendx-replay', { programs: false, build: true, entry: 'examples/attendx/dist/replay.js' }],
  ['audio-streaming', { programs: false, build: true, entry: 'examples/audio-streaming/dist/main.js' }],
  ['audio-streaming-replay', { programs: false, build: true, entry: 'examples/audio-streaming/dist/replay.js' }],
  ['road-quality', { programs: false, build: true, entry: 'examples/road-quality/dist/main.js' }],
  ['road-quality-replay', { programs: false, build: true, entry: 'examples/road-quality/dist/replay.js' }],
  ['topology', { programs: true, build: true, entry: 'scripts/topology.mjs' }],
  ['start', { programs: false, build: true, entry: 'packages/server/dist/main.js' }],
  ['screenshots', { programs: true, build: true, entry: 'scripts/screenshots.mjs' }],
  ['test', { programs: true, build: true, entry: 'scripts/test.mjs' }],
  ['test:deep', { programs: true, build: true, entry: 'scripts/test-deep.mjs' }],
  ['test:simulation', { programs: false, build: true, entry: 'scripts/test-simulation.mjs' }],
  ['test:faults', { programs: true, build: false, entry: 'scripts/test-faults.mjs' }],
  ['bench', { programs: true, build: true, entry: 'bench/main.mjs' }],
  ['features', { programs: true, build: true, entry: 'scripts/features.mjs' }],
  ['check', { programs: false, build: false, entry: 'scripts/check.mjs' }],
]);

/** The first two numbers of a version, as one that compares. */
function versionNumber(/** @type {string} */ version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
}

function checkNode() {
  const needed = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).engines.node.replace('>=', '');
  if (versionNumber(process.versions.node) >= versionNumber(needed)) return;
  throw new Error(
    `Node ${needed} or later is needed; this is ${process.versions.node}. Get it from https://nodejs.org.`,
  );
}

async function prepare(/** @type {Command} */ command) {
  checkNode();
  const { ensurePackages } = await import('./packages.mjs');
  ensurePackages(root);
  if (command.programs) {
    const { ensurePrograms } = await import('./programs.mjs');
    ensurePrograms();
  }
  if (command.build) {
    const { build } = await import('./build.mjs');
    build(root);
  }
}

/**
 * Runs a module in this process, as if Node had been started with it: a signal, a kill or an exit code then reaches the
 * real thing, and no orphan can hold its port.
 */
async function become(/** @type {string} */ entry, /** @type {string[]} */ args) {
  const path = `${root}${entry}`;
  process.argv = [process.execPath, path, ...args];
  await import(pathToFileURL(path).href);
}

async function main(/** @type {string[]} */ [name = '', ...args]) {
  const command = commands.get(name);
  if (command === undefined) throw new Error(`Usage: node scripts/bootstrap.mjs ${[...commands.keys()].join('|')}`);
  process.chdir(root);
  await prepare(command);
  return () => become(command.entry, args);
}

const words = process.argv.slice(2);
let run = () => Promise.resolve();
try {
  run = await main(words);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (words[0]?.startsWith('test')) console.log('0 passed, 0 failed');
  process.exit(1);
}
await run();
