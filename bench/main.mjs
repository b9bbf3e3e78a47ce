/** `npm run bench`: every feature against its peers, side by side, in turn. See docs/performance.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from '../scripts/packages.mjs';
import { parseArguments } from './arguments.mjs';
import { measure, wantedLines } from './harness.mjs';
import { describe } from './report.mjs';

/** @typedef {import('./harness.mjs').Outcome} Outcome */
/** @typedef {import('./harness.mjs').Place} Place */
/** @typedef {import('./harness.mjs').Workload} Workload */
/** @typedef {import('./arguments.mjs').BenchArguments} BenchArguments */
/** @typedef {import('commonhold/testing').RedisServer} Server */

const folder = fileURLToPath(new URL('.', import.meta.url));

async function workloads() {
  const files = readdirSync(`${folder}workloads`).filter((file) => file.endsWith('.mjs'));
  /** @type {Workload[]} */
  const all = [];
  for (const file of files.toSorted()) all.push((await import(`./workloads/${file}`)).default);
  return all;
}

/** Machine and versions, without which figures say nothing. */
function setting(/** @type {string} */ redisVersion) {
  const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
  const [cpu] = cpus();
  return {
    cpu: cpu?.model,
    cores: cpus().length,
    node: process.versions.node,
    redis: redisVersion,
    peers: dependencies,
  };
}

async function run(/** @type {BenchArguments} */ args) {
  const { startRedisServer } = await import('commonhold/testing');
  const server = await startRedisServer();
  try {
    await runOn(server, args);
  } finally {
    await server.stop();
  }
}

async function runOn(/** @type {Server} */ server, /** @type {BenchArguments} */ args) {
  const say = args.json ? () => {} : console.log;
  const info = String(await server.command('INFO', 'server'));
  const where = setting(/redis_version:(\S+)/.exec(info)?.[1] ?? '');
  const { cores, cpu, node, redis } = where;
  say(`${cores} cores ${cpu}, Node ${node}, Redis ${redis}; medians of ${args.rounds} interleaved samples`);
  /** @type {Place} */
  const place = { url: server.url, command: (...words) => server.command(...words), args };
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const workload of await workloads()) {
    if (wantedLines(workload, args).length > 0) await place.command('FLUSHALL');
    for await (const outcome of measure(workload, place)) {
      outcomes.push(outcome);
      say(describe(outcome));
    }
  }
  const met = outcomes.filter((outcome) => outcome.met).length;
  say(`${met} of ${outcomes.length} goals met.`);
  if (args.json) console.log(JSON.stringify({ ...where, rounds: args.rounds, outcomes }, undefined, 2));
}

try {
  const args = parseArguments(process.argv.slice(2));
  ensurePackages(folder);
  await run(args);
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
}
// A peer that keeps a timer must not keep the command.
process.exit();
