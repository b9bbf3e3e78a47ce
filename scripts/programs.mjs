import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A program the tests run and npm cannot install. `names` are looked for on PATH, `places` as they stand.
 * @typedef {{ title: string, why: string, names: string[], places: string[], apt: string, brew: string[] }} Program
 */

/** @type {Program[]} */
const programs = [
  {
    title: 'redis-server',
    why: 'the tests start real Redis servers of their own',
    names: ['redis-server'],
    places: [],
    apt: 'redis-server',
    brew: ['redis'],
  },
  {
    title: 'Chromium',
    why: 'the tests drive the dashboard in a real browser',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    places: ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
    apt: 'chromium',
    brew: ['--cask', 'google-chrome'],
  },
];

function isExecutable(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function find(/** @type {string[]} */ names, /** @type {string[]} */ places = []) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...places].find(isExecutable);
}

function missing() {
  return programs.filter((program) => find(program.names, program.places) === undefined);
}

/** Runs quietly; what the installer printed is shown only when it failed. */
function run(/** @type {string[]} */ command) {
  const [name = '', ...args] = command;
  const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) console.error(`${stdout ?? ''}${stderr ?? ''}`.trimEnd());
  return status === 0;
}

/** The words before apt-get that make it run as root, or undefined where that would need a password. */
function asRoot() {
  if (process.getuid?.() === 0) return ['env'];
  if (find(['sudo']) === undefined || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0)
    return undefined;
  return ['sudo', '-n', 'env'];
}

/** The commands that install `wanted` here without asking anything, or undefined when there are none. */
function installers(/** @type {Program[]} */ wanted) {
  if (process.platform === 'darwin' && find(['brew'])) return wanted.map(({ brew }) => ['brew', 'install', ...brew]);
  const prefix = find(['apt-get']) ? asRoot() : undefined;
  if (prefix === undefined) return undefined;
  const apt = [...prefix, 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120'];
  const packages = wanted.map((program) => program.apt);
  return [
    [...apt, 'update'],
    [...apt, 'install', '-y', '--no-install-recommends', ...packages],
  ];
}

/** What a person types to install `wanted`. */
function byHand(/** @type {Program[]} */ wanted) {
  if (process.platform === 'darwin') return wanted.map(({ brew }) => `  brew install ${brew.join(' ')}`).join('\n');
  return `  sudo apt-get install ${wanted.map(({ apt }) => apt).join(' ')}`;
}

function describe(/** @type {Program[]} */ wanted) {
  return wanted.map(({ title, why }) => `${title} (${why})`).join(' and ');
}

/**
 * Makes sure that the programs the tests run are on this machine, installing them through apt-get or brew where that
 * needs no question, and points CHROMIUM_PATH at the browser unless it is set.
 * @throws Error naming what to install, when that is not possible
 */
export function ensurePrograms() {
  const wanted = missing();
  if (wanted.length > 0) {
    const commands = installers(wanted);
    if (commands) console.error(`Installing ${describe(wanted)}.`);
    commands?.every(run);
  }
  const still = missing();
  if (still.length > 0) {
    throw new Error(`Not found on this machine: ${describe(still)}. Install it, then run again:\n${byHand(still)}`);
  }
  for (const { title, names, places } of programs) {
    if (title === 'Chromium') process.env.CHROMIUM_PATH ??= find(names, places);
  }
}
