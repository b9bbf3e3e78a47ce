import { posix } from 'node:path';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

/**
 * One import, re-export or dynamic import. `to` is the path of the file it names, absent for a package. `typeOnly` says
 * that it leaves nothing in the compiled code; `dynamic` that it is `import()`.
 * @typedef {{ specifier: string, to?: string, offset: number, typeOnly: boolean, dynamic: boolean }} Import
 */

/** @returns {Import[]} */
function staticImports(/** @type {SourceFile} */ file) {
  return file.parsed.module.staticImports.map(({ start, end, moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    offset: start,
    typeOnly:
      /^import\s+type\b/.test(file.text.slice(start, end)) ||
      (entries.length > 0 && entries.every((entry) => entry.isType)),
    dynamic: false,
  }));
}

/** @returns {Import[]} */
function reexports(/** @type {SourceFile} */ file) {
  return file.parsed.module.staticExports.flatMap(({ start, entries }) => {
    const from = entries.find((entry) => entry.moduleRequest)?.moduleRequest;
    if (!from) return [];
    return [{ specifier: from.value, offset: start, typeOnly: entries.every((entry) => entry.isType), dynamic: false }];
  });
}

/** Only with a literal name; the name of a computed one is not in the source. */
function dynamicImports(/** @type {SourceFile} */ file) {
  return file.parsed.module.dynamicImports.flatMap(({ start, moduleRequest }) => {
    const literal = /^(['"`])([^'"`$]+)\1$/.exec(file.text.slice(moduleRequest.start, moduleRequest.end))?.[2];
    return literal === undefined ? [] : [{ specifier: literal, offset: start, typeOnly: false, dynamic: true }];
  });
}

/** The source file that a relative specifier names; imports are written with the extension of the compiled file. */
function resolve(/** @type {string} */ from, /** @type {string} */ specifier) {
  if (!specifier.startsWith('.')) return {};
  return { to: posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts') };
}

/**
 * All imports of a script, in no particular order.
 * @param {SourceFile} file
 * @returns {Import[]}
 */
export function importsOf(file) {
  return [...staticImports(file), ...reexports(file), ...dynamicImports(file)].map((found) => ({
    ...found,
    ...resolve(file.path, found.specifier),
  }));
}

/**
 * No file may reach itself through its imports. Types count: a cycle of types ties two files together just the same.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardCycles(files) {
  const scripts = new Map(files.filter((file) => file.isScript).map((file) => [file.path, file]));
  /** @type {Set<string>} */
  const done = new Set();
  /** @type {Violation[]} */
  const violations = [];

  /** @param {SourceFile} file @param {string[]} trail */
  function visit(file, trail) {
    if (done.has(file.path)) return;
    const path = [...trail, file.path];
    for (const { to, offset } of importsOf(file)) {
      const next = scripts.get(to ?? '');
      if (!next) continue;
      const loop = path.indexOf(next.path);
      if (loop === -1) visit(next, path);
      else violations.push(file.violation(offset, `import cycle: ${[...path.slice(loop), next.path].join(' -> ')}`));
    }
    done.add(file.path);
  }

  for (const file of scripts.values()) visit(file, []);
  return violations;
}
