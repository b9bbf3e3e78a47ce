/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

function json(/** @type {SourceFile[]} */ files, /** @type {string} */ path) {
  return JSON.parse(files.find((file) => file.path === path)?.text ?? '{}');
}

/**
 * Every tsconfig.json of a workspace is a reference of the root's; one that is not would be neither built nor checked.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardProjects(files) {
  /** @type {{ references?: { path: string }[] }} */
  const { references = [] } = json(files, 'tsconfig.json');
  const known = new Set(references.map(({ path }) => `${path.replace(/^\.\/|\/$/g, '')}/tsconfig.json`));
  return files
    .filter(({ path }) => /^(?:packages|examples|bench)\/.*tsconfig\.json$/.test(path) && !known.has(path))
    .map((file) => file.violation(0, 'not among the references of the root tsconfig.json'));
}

/**
 * A lock file holds the optional packages of every platform. npm leaves out what the registry of the day did not
 * serve, and `npm ci` then refuses the lock file everywhere.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardLockFile(files) {
  return files.filter(({ path }) => /(?:^|\/)package-lock\.json$/.test(path)).flatMap(missingPackages);
}

/** @returns {Violation[]} */
function missingPackages(/** @type {SourceFile} */ file) {
  /** @type {{ packages?: Record<string, { optionalDependencies?: Record<string, string> }> }} */
  const { packages = {} } = JSON.parse(file.text);
  const locked = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)));
  const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  return [...new Set(wanted)]
    .filter((name) => !locked.has(name))
    .map((name) => file.violation(0, `${name} is missing; take a version that is whole`));
}
