import { importsOf } from './import-graph.mjs';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

/** What others may import of each workspace package: its name, or the subpaths of its `exports`. */
function publicNames(/** @type {SourceFile[]} */ files) {
  /** @type {Map<string, Set<string>>} */
  const names = new Map();
  for (const file of files.filter(({ path }) => /^(?:packages|examples)\/[^/]+\/package\.json$/.test(path))) {
    const { name, exports } = JSON.parse(file.text);
    const subpaths = Object.keys(exports ?? { '.': '' });
    names.set(name, new Set(subpaths.map((subpath) => name + subpath.slice(1))));
  }
  return names;
}

/** The name of the package that a bare specifier names, without what follows it. */
function packageOf(/** @type {string} */ specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** @returns {Violation[]} */
function guardFile(/** @type {SourceFile} */ file, /** @type {Map<string, Set<string>>} */ names) {
  const [kind, folder, inside] = file.path.split('/');
  const home = `${kind}/${folder}/`;
  return importsOf(file).flatMap(({ specifier, to, offset }) => {
    if (to !== undefined) {
      return to.startsWith(home)
        ? []
        : [file.violation(offset, `other packages are imported by name, not by path: ${specifier}`)];
    }
    if (names.get(packageOf(specifier))?.has(specifier) === false) {
      return [file.violation(offset, `${specifier} is not among the exports of ${packageOf(specifier)}`)];
    }
    if (specifier === 'commonhold/testing' && inside !== 'test') {
      return [file.violation(offset, 'commonhold/testing is for tests')];
    }
    return [];
  });
}

function knowsOthers(/** @type {SourceFile} */ file, /** @type {Map<string, Set<string>>} */ names) {
  return importsOf(file)
    .filter(({ specifier }) => names.has(packageOf(specifier)) && packageOf(specifier) !== 'commonhold')
    .map(({ specifier, offset }) => file.violation(offset, `the library knows nothing of its users: ${specifier}`));
}

/**
 * Packages meet only through each other's names and declared exports, and the library knows none of the others.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardPackageBorders(files) {
  const names = publicNames(files);
  return files
    .filter((file) => file.isScript && /^(?:packages|examples)\//.test(file.path))
    .flatMap((file) => [
      ...(file.path.startsWith('packages/commonhold/') ? knowsOthers(file, names) : []),
      ...guardFile(file, names),
    ]);
}
