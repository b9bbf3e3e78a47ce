/**
 * `npm run features`: runs every conformance suite that `commonhold/testing` ships on every engine, prints the table of
 * features and engines, and compares it with docs/engines.md; `-- --write` puts it there. Fails when a test fails.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { composed } from './guards/library-zones.mjs';

/**
 * @typedef {typeof import('../packages/commonhold/dist/testing/index.js')} Testing
 * @typedef {import('../packages/commonhold/dist/testing/index.js').EngineKind} EngineKind
 * @typedef {{ feature: string, title: string, body: () => Promise<void> }} NamedTest
 * @typedef {{ name: string, open: (testing: Testing) => Promise<{ kind: EngineKind, stop: () => Promise<void> }> }} EngineOfTable
 * @typedef {{ passed: number, failed: string[] }} Cell
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const page = `${root}docs/engines.md`;
const block = /(<!-- features -->\n)[^]*?(<!-- end of features -->)/;
const testTimeoutMs = 60_000;

/** @type {EngineOfTable[]} */
export const engines = [
  { name: 'memory', open: async ({ memoryEngine }) => ({ kind: memoryEngine, stop: async () => {} }) },
  {
    name: 'Redis 7',
    open: async ({ startRedisServer, redisEngine }) => {
      const server = await startRedisServer();
      return { kind: redisEngine(server), stop: () => server.stop() };
    },
  },
  {
    name: 'a cluster of one node',
    open: async ({ startRedisServer, redisEngine }) => {
      const server = await startRedisServer({ cluster: true });
      return { kind: redisEngine(server), stop: () => server.stop() };
    },
  },
  {
    name: 'a cluster of three masters with replicas',
    open: async ({ startRedisCluster, redisClusterEngine }) => {
      const cluster = await startRedisCluster({ masters: 3, replicas: 1 });
      return { kind: redisClusterEngine(cluster), stop: () => cluster.stop() };
    },
  },
];

/** The folders of the library that hold a port, which are its features, and those that stand on them. */
export function featureFolders() {
  const folders = readdirSync(`${root}packages/commonhold/src`, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const hasPort = (/** @type {string} */ name) =>
    readdirSync(`${root}packages/commonhold/src/${name}`).includes(`${name}-port.ts`);
  return folders.map(({ name }) => name).filter((name) => composed.has(name) || hasPort(name));
}

/**
 * The feature that a suite is about: `rateLimitWaitConformance` is about `rate-limit`. What is about none of them alone is
 * about all.
 */
export function featureOf(/** @type {string} */ suite, /** @type {string[]} */ features) {
  const name = suite.replace(/Conformance$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const own = features.filter((feature) => name === feature || name.startsWith(`${feature}-`));
  return own.toSorted((a, b) => b.length - a.length)[0] ?? 'all features';
}

/**
 * Every test of every suite, not yet run.
 * @param {Record<string, unknown>} testing
 * @param {() => unknown} kind
 */
export function collectTests(testing, kind) {
  /** @type {NamedTest[]} */
  const tests = [];
  const features = featureFolders();
  for (const [suite, conformance] of Object.entries(testing)) {
    if (!suite.endsWith('Conformance') || typeof conformance !== 'function') continue;
    const feature = featureOf(suite, features);
    const it = (/** @type {string} */ title, /** @type {() => Promise<void>} */ body) =>
      tests.push({ feature, title, body });
    conformance({ describe: (/** @type {string} */ _, /** @type {() => void} */ body) => body(), it }, kind);
  }
  return tests;
}

/** @param {Map<string, Cell>[]} columns one for each engine, from feature to cell */
export function tableOf(columns) {
  const rows = [...new Set(columns.flatMap((column) => [...column.keys()]))].toSorted();
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const shown = (/** @type {Cell | undefined} */ cell) => {
    if (cell === undefined) return '';
    const all = cell.passed + cell.failed.length;
    return cell.failed.length === 0 ? `${all}` : `${cell.passed} of ${all}`;
  };
  const body = rows.map((feature) => line([feature, ...columns.map((column) => shown(column.get(feature)))]));
  const totals = columns.map((column) => {
    const cells = [...column.values()];
    return shown({
      passed: cells.reduce((sum, { passed }) => sum + passed, 0),
      failed: cells.flatMap((c) => c.failed),
    });
  });
  const head = ['feature', ...engines.map(({ name }) => name)];
  return [line(head), line(head.map(() => '---')), ...body, line(['together', ...totals])].join('\n');
}

/** The features and engines that the page has, whatever its numbers. */
export function shapeOf(/** @type {string} */ text) {
  const lines = (block.exec(text)?.[0] ?? '').split('\n').filter((each) => each.startsWith('| '));
  const [head = '', , ...rows] = lines.map((each) => each.slice(2, -2).split(' | '));
  return { engines: Array.from(head).slice(1), features: rows.slice(0, -1).map(([feature]) => feature), rows };
}

/** @returns {Promise<string | undefined>} why it failed */
async function outcomeOf(/** @type {NamedTest} */ { body }) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${testTimeoutMs} ms`)), testTimeoutMs);
  });
  try {
    await Promise.race([body(), late]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns {Promise<Map<string, Cell>>} */
async function runOn(/** @type {Testing} */ testing, /** @type {EngineOfTable} */ { name, open }) {
  const engine = await open(testing);
  /** @type {Map<string, Cell>} */
  const cells = new Map();
  try {
    for (const test of collectTests(testing, () => engine.kind)) {
      const cell = cells.get(test.feature) ?? { passed: 0, failed: [] };
      cells.set(test.feature, cell);
      const where = `${name}, ${test.feature}: ${test.title}`;
      let failure = await outcomeOf(test);
      // A machine that is busy with something else may fail a test, but hardly twice; it is said, not hidden.
      if (failure !== undefined) {
        console.error(`once more: ${where}`);
        failure = await outcomeOf(test);
      }
      if (failure === undefined) cell.passed++;
      else cell.failed.push(`${where}\n    ${failure.split('\n').join('\n    ')}`);
    }
  } finally {
    await engine.stop();
  }
  return cells;
}

async function main(/** @type {string[]} */ args) {
  const testing = await import('../packages/commonhold/dist/testing/index.js');
  /** @type {Map<string, Cell>[]} */
  const columns = [];
  for (const engine of engines) columns.push(await runOn(testing, engine));
  const table = tableOf(columns);
  const failures = columns.flatMap((column) => [...column.values()].flatMap(({ failed }) => failed));
  console.log(table);
  for (const failure of failures) console.error(failure);
  const text = readFileSync(page, 'utf8');
  const next = text.replace(block, `$1${table}\n$2`);
  if (args.includes('--write') && failures.length === 0) writeFileSync(page, next);
  else if (next !== text)
    console.log('docs/engines.md has other numbers; npm run features -- --write puts these there.');
  // Clients of suites may linger in what they close.
  process.exit(failures.length === 0 ? 0 : 1);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2));
}
