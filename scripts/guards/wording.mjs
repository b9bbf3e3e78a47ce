import { Visitor } from 'oxc-parser';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

/** Files that must name what they forbid. */
const exempt = /^scripts\/(?:guards|test)\//;

/**
 * A violation for every match of `pattern` in the text of `file`.
 * @param {SourceFile} file
 * @param {RegExp} pattern with the flag g
 * @param {string} message
 * @returns {Violation[]}
 */
function matches(file, pattern, message) {
  return [...file.text.matchAll(pattern)].map((match) => file.violation(match.index, `${match[0].trim()}: ${message}`));
}

/**
 * No `any`, and no suppression without its reason on the line.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardTypes(files) {
  return files
    .filter((file) => file.isScript && !exempt.test(file.path))
    .flatMap((file) => [...anyTypes(file), ...suppressions(file)]);
}

function anyTypes(/** @type {SourceFile} */ file) {
  /** @type {Violation[]} */
  const violations = [];
  const visitor = new Visitor({
    TSAnyKeyword: (node) => void violations.push(file.violation(node.start, 'any: name the type, or use unknown')),
  });
  visitor.visit(file.parsed.program);
  return violations;
}

function suppressions(/** @type {SourceFile} */ file) {
  return file.parsed.comments.flatMap(({ value, start }) => {
    if (/@ts-(?:ignore|nocheck)/.test(value)) return [file.violation(start, 'use @ts-expect-error with its reason')];
    const bare = /@ts-expect-error\s*$/.test(value) || /(?:oxlint|eslint)-disable(?!.* -- \S)/.test(value);
    return bare ? [file.violation(start, 'a suppression states its reason on the line')] : [];
  });
}

/**
 * No unfinished notes: what is open is an issue.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardNotes(files) {
  return files
    .filter((file) => !exempt.test(file.path) && file.path !== 'package-lock.json')
    .flatMap((file) => matches(file, /\b(?:TODO|FIXME|XXX)\b/g, 'finish it, or open an issue'));
}

/**
 * No absolute path of the machine that the file was written on.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardMachinePaths(files) {
  return files
    .filter((file) => file.path !== 'package-lock.json')
    .flatMap((file) => matches(file, /(?<![A-Za-z0-9_.])\/(?:work|farm|root)\/\S*/g, 'a path of one machine'));
}

/**
 * Every export of the library has a docstring; overloads share the first one's.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardDocstrings(files) {
  return files
    .filter((file) => file.isScript && file.path.startsWith('packages/commonhold/src/'))
    .flatMap(undocumented);
}

const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type) (\w+)/gm;

function undocumented(/** @type {SourceFile} */ file) {
  const ends = file.parsed.comments
    .filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
    .map(({ end }) => end);
  /** @type {Set<string>} */
  const documented = new Set();
  return [...file.text.matchAll(declaration)].flatMap(({ index, 1: name = '' }) => {
    if (ends.some((end) => end < index && file.text.slice(end, index).trim() === '')) documented.add(name);
    return documented.has(name) ? [] : [file.violation(index, `${name} is exported without a docstring`)];
  });
}
