import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/**
 * A program the tests run and npm cannot install. `names` are looked for on PATH, then `places` as they stand, where a `*`
 * is any one folder.
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
    title: 'nginx',
    why: 'the tests put servers behind it',
    names: ['nginx'],
    places: ['/usr/sbin/nginx', '/usr/local/sbin/nginx'],
    apt: 'nginx-light',
    brew: ['nginx'],
  },
  {
    title: 'Chromium',
    why: 'the tests drive the dashboard in a real browser',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    places: ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
    apt: 'chromium',
    brew: ['--cask', 'google-chrome'],
  },
  {
    title: 'PostgreSQL',
    why: 'the tests start real PostgreSQL servers of their own',
    names: ['postgres'],
    places: ['/usr/lib/postgresql/*/bin/postgres', '/opt/homebrew/opt/*/bin/postgres', '/usr/local/opt/*/bin/postgres'],
    apt: 'postgresql',
    brew: ['postgresql@17'],
  },
  {
    title: 'xz',
    why: 'the tests read collections of real data',
    names: ['xz'],
    places: [],
    apt: 'xz-utils',
    brew: ['xz'],
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

/** The paths that a place with a `*` may stand for, the newest version first. */
function pathsAt(/** @type {string} */ place) {
  const [before = '', after] = place.split('*');
  if (after === undefined) return [place];
  try {
    const byVersion = new Intl.Collator('en', { numeric: true });
    const names = readdirSync(before).toSorted((a, b) => byVersion.compare(b, a));
    return names.map((name) => `${before}${name}${after}`);
  } catch {
    return [];
  }
}

function find(/** @type {string[]} */ names, /** @type {string[]} */ places = []) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...places.flatMap(pathsAt)].find(isExecutable);
}

/** `places` lie below `root`. */
function placed(/** @type {Program} */ { names, places }, /** @type {string} */ root) {
  return find(
    names,
    places.map((place) => `${root}${place}`),
  );
}

function missing(/** @type {string} */ root) {
  return programs.filter((program) => placed(program, root) === undefined);
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
 * needs no question. Points CHROMIUM_PATH at the browser and POSTGRES_BIN at the folder of PostgreSQL's programs, unless
 * they are set.
 * @param {string} root below which programs that are not on PATH are looked for
 * @throws Error naming what to install, when that is not possible
 */
export function ensurePrograms(root = '') {
  const wanted = missing(root);
  if (wanted.length > 0) {
    const commands = installers(wanted);
    if (commands) console.error(`Installing ${describe(wanted)}.`);
    commands?.every(run);
  }
  const still = missing(root);
  if (still.length > 0) {
    throw new Error(`Not found on this machine: ${describe(still)}. Install it, then run again:\n${byHand(still)}`);
  }
  for (const program of programs) {
    const path = placed(program, root) ?? '';
    if (program.title === 'Chromium') process.env.CHROMIUM_PATH ??= path;
    if (program.title === 'PostgreSQL') process.env.POSTGRES_BIN ??= dirname(realpathSync(path));
  }
}
