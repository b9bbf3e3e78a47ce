import { guardArrows } from './arrows.mjs';
import { guardClock } from './clock.mjs';
import { guardDepth, guardFeatureFolders, guardLength, guardNames } from './folders.mjs';
import { guardCycles } from './import-graph.mjs';
import { guardLuaHeaders } from './lua-headers.mjs';
import { guardPackageBorders } from './package-borders.mjs';
import { guardLockFile, guardProjects } from './projects.mjs';
import { guardDocstrings, guardMachinePaths, guardNotes, guardTypes } from './wording.mjs';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

/**
 * The rules of the house that no other tool knows. Each reads the source files and answers with what breaks it.
 * @type {((files: SourceFile[]) => Violation[])[]}
 */
export const guards = [
  guardCycles,
  guardArrows,
  guardPackageBorders,
  guardProjects,
  guardLockFile,
  guardDepth,
  guardLength,
  guardNames,
  guardFeatureFolders,
  guardTypes,
  guardNotes,
  guardMachinePaths,
  guardDocstrings,
  guardClock,
  guardLuaHeaders,
];
