import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A package.json, as far as it is read here. Each export is a file, or a file for each condition.
 * @typedef {{ name: string, files?: string[], exports?: Record<string, string | Record<string, string>> }} Manifest
 */

/** npm publishes these whatever `files` says. */
const alwaysPublished = new Set(['./package.json']);

function isPublished(/** @type {string} */ target, /** @type {string[]} */ files) {
  return (
    alwaysPublished.has(target) || files.some((entry) => target === `./${entry}` || target.startsWith(`./${entry}/`))
  );
}

/** @returns {string[]} */
function problemsOfTarget(/** @type {string} */ folder, /** @type {string[]} */ files, /** @type {string} */ target) {
  if (!existsSync(join(folder, target))) return [`${target} does not exist after the build`];
  return isPublished(target, files) ? [] : [`${target} is not in "files"`];
}

function lacksTypes(/** @type {string | Record<string, string>} */ conditions) {
  if (typeof conditions === 'string') return conditions.endsWith('.js');
  return Object.keys(conditions)[0] !== 'types';
}

/**
 * What is wrong with the exports of the package in `folder`; a package without `exports` has none.
 * @param {string} folder
 * @returns {string[]}
 */
export function problemsOf(folder) {
  /** @type {Manifest} */
  const { name, files = [], exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const unpublished = files
    .filter((entry) => !entry.startsWith('!') && !existsSync(join(folder, entry)))
    .map((entry) => `"files" names ${entry}, which does not exist`);
  const broken = Object.entries(exports).flatMap(([subpath, conditions]) => {
    const targets = typeof conditions === 'string' ? [conditions] : Object.values(conditions);
    const types = lacksTypes(conditions) ? ['the first condition is not "types"'] : [];
    return [...types, ...targets.flatMap((target) => problemsOfTarget(folder, files, target))].map(
      (problem) => `"${subpath}": ${problem}`,
    );
  });
  return [...unpublished, ...broken].map((problem) => `${name}: ${problem}`);
}
