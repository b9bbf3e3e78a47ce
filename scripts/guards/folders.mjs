import { featuresOf } from './arrows.mjs';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

const longestFile = 400;
const deepestFolder = 3;
const counted = /\.(?:[mc]?ts|[mc]?js|lua|css|html)$/;
/** Names that say nothing about the subject. */
const empty = new Set(['util', 'utils', 'helper', 'helpers', 'manager', 'managers', 'types', 'common', 'misc']);

/**
 * No source file is longer than 400 lines, tests included.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardLength(files) {
  return files
    .filter((file) => counted.test(file.path))
    .map((file) => ({ file, lines: file.text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > longestFile)
    .map(({ file, lines }) => ({ path: file.path, line: lines, message: `${lines} lines; at most ${longestFile}` }));
}

/**
 * Folders go at most three deep below a src folder.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardDepth(files) {
  return files
    .filter((file) => (file.path.split('/src/')[1]?.split('/').length ?? 0) > deepestFolder + 1)
    .map((file) => file.violation(0, `more than ${deepestFolder} folders below src`));
}

/**
 * No file or folder is named after nothing in particular.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardNames(files) {
  return files.flatMap((file) => {
    const stems = file.path.split('/').map((part) => part.split('.')[0] ?? '');
    const bad = stems.find((stem) => empty.has(stem.toLowerCase()));
    return bad === undefined ? [] : [file.violation(0, `"${bad}" does not say what is inside`)];
  });
}

/**
 * Every feature folder holds the same names, so that whoever knows one finds the way in all.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardFeatureFolders(files) {
  const paths = files.map((file) => file.path);
  return [...featuresOf(files)].flatMap((feature) => {
    const folder = `packages/commonhold/src/${feature}/`;
    const names = ['', '-port', '-operations'].map((suffix) => `${feature}${suffix}.ts`);
    const expected = [...names, `memory-${feature}.ts`, `redis-${feature}.ts`, 'lua/'];
    return expected
      .filter((name) => !paths.some((path) => path.startsWith(folder + name)))
      .map((name) => ({ path: folder + name, line: 1, message: `missing; every feature has it` }));
  });
}
