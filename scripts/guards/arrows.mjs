import { importsOf } from './import-graph.mjs';
import { objection, placeOf } from './library-zones.mjs';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */
/** @typedef {import('./import-graph.mjs').Import} Import */
/** @typedef {import('./library-zones.mjs').Place} Place */

const src = 'packages/commonhold/src/';

/**
 * The feature folders: those that hold a port.
 * @param {SourceFile[]} files
 * @returns {Set<string>}
 */
export function featuresOf(files) {
  const ports = files.map((file) => /^packages\/commonhold\/src\/([^/]+)\/\1-port\.ts$/.exec(file.path)?.[1]);
  return new Set(ports.filter((name) => name !== undefined));
}

/** A memory-only application has no Redis client installed. */
function clientObjection(/** @type {Place} */ from, /** @type {Import} */ { specifier, typeOnly, dynamic }) {
  if (!specifier.startsWith('@redis/') || from.zone === 'testing') return undefined;
  if (!['redis-base', 'redis-gather'].includes(from.zone)) return 'only backend/redis may know the Redis client';
  return typeOnly || dynamic ? undefined : 'the Redis client is loaded with import(), only when Redis is configured';
}

/** @returns {string | undefined} */
function objectionTo(/** @type {Place} */ from, /** @type {Import} */ found, /** @type {Set<string>} */ features) {
  if (found.to === undefined) {
    return from.zone === 'port' ? 'a port is plain data: no package, no client type' : clientObjection(from, found);
  }
  if (!found.to.startsWith(src)) return 'the library may not reach outside its src folder';
  const to = placeOf(found.to.slice(src.length), features);
  return to && objection(from, to, found.typeOnly);
}

/** @returns {Violation[]} */
function guardFile(/** @type {SourceFile} */ file, /** @type {Set<string>} */ features) {
  const from = placeOf(file.path.slice(src.length), features);
  if (!from)
    return [
      file.violation(0, 'a folder of src is codec, backend, adapters, testing or a feature with its <name>-port.ts'),
    ];
  return importsOf(file).flatMap((found) => {
    const message = objectionTo(from, found, features);
    return message === undefined ? [] : [file.violation(found.offset, `${message}: ${found.specifier}`)];
  });
}

/**
 * Imports inside the library follow the arrows of library-zones.mjs; nothing imports upwards.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardArrows(files) {
  const features = featuresOf(files);
  return files
    .filter((file) => file.path.startsWith(src) && file.isScript)
    .flatMap((file) => guardFile(file, features));
}
