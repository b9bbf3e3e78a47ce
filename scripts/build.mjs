import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** Files that are used as they stand: Lua scripts, and what a browser loads from a `page` folder. */
const asset = /(?:^|\/)(?:lua\/[^/]+\.lua|page\/.+\.(?:html|css|js|svg))$/;
/** What tsc writes for one source file. */
const compiled = /(?:\.d\.ts|\.js)(?:\.map)?$/;

/** The projects of the root tsconfig.json that write a dist folder: all but the tests. */
function projects(/** @type {string} */ root) {
  /** @type {{ references: { path: string }[] }} */
  const config = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return config.references.map(({ path }) => path).filter((path) => basename(path) !== 'test');
}

/**
 * Paths of all files under `folder`, relative to it; none when it does not exist.
 * @param {string} folder
 * @returns {string[]}
 */
function filesUnder(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}

/** Copies with the time of last change, so that the next comparison is exact. */
function copyIfChanged(/** @type {string} */ from, /** @type {string} */ to) {
  const source = statSync(from);
  const copy = statSync(to, { throwIfNoEntry: false });
  if (copy?.size === source.size && Math.abs(copy.mtimeMs - source.mtimeMs) < 1) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  utimesSync(to, source.atime, source.mtime);
}

/** tsc leaves the output of a removed source file behind, and it would be published. */
function removeStale(/** @type {string} */ dist, /** @type {Set<string>} */ sources) {
  for (const file of filesUnder(dist)) {
    const known = sources.has(file) || sources.has(file.replace(compiled, '.ts'));
    if (!known && (compiled.test(file) || asset.test(file))) rmSync(join(dist, file));
  }
}

function placeAssetsOf(/** @type {string} */ project) {
  const src = join(project, 'src');
  const dist = join(project, 'dist');
  const sources = filesUnder(src);
  for (const file of sources.filter((name) => asset.test(name))) copyIfChanged(join(src, file), join(dist, file));
  removeStale(dist, new Set(sources));
}

/**
 * Makes every dist folder hold the assets of its sources, and nothing that a removed source left.
 * @param {string} root
 */
export function placeAssets(root) {
  for (const project of projects(root)) placeAssetsOf(join(root, project));
}

/**
 * Brings every dist folder up to date: tsc for the sources, copies for the assets.
 * @param {string} root
 * @throws Error when the sources do not compile; tsc's own output came before
 */
export function build(root) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-b', ...projects(root)], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('The build failed: the sources do not compile.');
  placeAssets(root);
}
