/**
 * The parts of packages/commonhold/src, and which part may import which. The table at the end is the architecture;
 * the rest finds out which part a file belongs to.
 */

/**
 * Where a library file stands. `feature` is set for the files of a feature folder.
 * @typedef {{ zone: string, feature?: string }} Place
 */

const top = new Map([
  ['options.ts', 'options'],
  ['index.ts', 'index'],
  ['open-state.ts', 'open-state'],
  ['open-redis.ts', 'open-state'],
  ['redis-place.ts', 'redis-place'],
  ['sentinel-place.ts', 'redis-place'],
  ['shared-state.ts', 'shared-state'],
]);

/** Folders that are no feature; the longest match wins. @type {[RegExp, string][]} */
const folders = [
  [/^codec\//, 'ground'],
  [/^testing\//, 'testing'],
  [/^adapters\//, 'adapters'],
  [/^backend\/memory\/memory-backend\.ts$/, 'memory-gather'],
  [/^backend\/redis\/(redis-ports|(redis|moving)-backend)\.ts$/, 'redis-gather'],
  [/^backend\/resilient\/resilient-(ports|backend)\.ts$/, 'resilient-gather'],
  [/^backend\/memory\//, 'memory-base'],
  [/^backend\/redis\//, 'redis-base'],
  [/^backend\/resilient\//, 'resilient'],
  [/^backend\/[^/]+$/, 'backend'],
];

/** Folders without a port: they stand on the fronts of features, which they are handed. @type {ReadonlySet<string>} */
export const composed = new Set(['every', 'leader']);

/** @returns {string} */
function roleInFeature(/** @type {string} */ feature, /** @type {string} */ file) {
  if (file === `${feature}.ts`) return 'front';
  if (file === `${feature}-port.ts`) return 'port';
  if (file === `${feature}-operations.ts`) return 'operations';
  if (file.startsWith('memory-')) return 'memory-twin';
  if (file.startsWith('away-')) return 'away-twin';
  if (file.startsWith('redis-')) return 'redis-twin';
  return 'part';
}

/**
 * @param {string} path relative to packages/commonhold/src
 * @param {ReadonlySet<string>} features names of the feature folders
 * @returns {Place | undefined} undefined for a folder that is neither a feature nor known
 */
export function placeOf(path, features) {
  const [folder = '', file] = path.split('/');
  if (file === undefined) return { zone: top.get(path) ?? 'ground' };
  const known = folders.find(([pattern]) => pattern.test(path));
  if (known) return { zone: known[1] };
  if (!features.has(folder) && !composed.has(folder)) return undefined;
  return { zone: roleInFeature(folder, path.slice(folder.length + 1)), feature: folder };
}

/**
 * What a zone may import. `own` zones only within the same feature; `types` only as types, from any feature.
 * @typedef {{ any?: string[], own?: string[], types?: string[] }} Arrows
 */

const backends = [
  'backend',
  'memory-base',
  'memory-gather',
  'redis-base',
  'redis-gather',
  'resilient',
  'resilient-gather',
];
const inFeatures = ['front', 'port', 'part', 'operations'];

/** @type {Record<string, Arrows>} */
const arrows = {
  ground: { any: ['ground'], types: ['backend'] },
  options: { any: ['ground'], types: ['backend', 'memory-base', 'redis-base'] },
  'redis-place': { any: ['ground', 'options', 'redis-place', 'redis-base'] },
  port: { any: ['ground'], own: ['part'], types: ['port'] },
  operations: { any: ['ground'], own: ['port', 'part'] },
  part: { any: ['ground'], own: ['port', 'part'], types: ['port', 'backend'] },
  // A front may answer with another feature's front, which it is handed: a queue gives the channel of its notices.
  front: { any: ['ground'], own: ['port', 'part', 'operations'], types: ['front', 'port', 'backend'] },
  'memory-twin': {
    any: ['ground', 'backend', 'memory-base'],
    own: ['port', 'part', 'operations', 'memory-twin'],
    types: ['port'],
  },
  'redis-twin': {
    any: ['ground', 'backend', 'redis-base'],
    own: ['port', 'part', 'operations', 'redis-twin'],
    types: ['port'],
  },
  // What a process does by itself while the store is away may be what it does in memory.
  'away-twin': {
    any: ['ground', 'backend', 'resilient', 'memory-base'],
    own: ['port', 'part', 'operations', 'memory-twin', 'away-twin'],
    types: ['port'],
  },
  backend: { any: ['ground', 'backend'], types: ['port'] },
  'memory-base': { any: ['ground', 'backend', 'memory-base'] },
  'redis-base': { any: ['ground', 'backend', 'redis-base'] },
  resilient: { any: ['ground', 'backend', 'resilient', 'memory-base'] },
  'resilient-gather': {
    any: ['ground', 'backend', 'resilient', 'resilient-gather', 'memory-base', 'away-twin', 'operations', 'part'],
    types: ['port'],
  },
  'memory-gather': { any: ['ground', 'backend', 'memory-base', 'memory-twin', 'operations', 'part'], types: ['port'] },
  'redis-gather': {
    any: ['ground', 'backend', 'redis-base', 'redis-gather', 'redis-twin', 'operations', 'part'],
    types: ['port'],
  },
  'shared-state': { any: ['ground', 'backend', ...inFeatures] },
  'open-state': {
    any: ['ground', 'options', 'redis-place', 'open-state', 'shared-state', ...backends, ...inFeatures],
  },
  index: { any: ['ground', 'options', 'shared-state', 'open-state', ...backends, ...inFeatures] },
  adapters: { any: ['ground', 'adapters', 'shared-state', 'index', 'front', 'part'], types: ['port'] },
};

/** Why a zone may not be entered, for the reader of the message. @type {Record<string, string>} */
const reasons = {
  testing: 'only tests may use testing/',
  index: 'index.ts is for users of the package',
  'memory-twin': 'only memory-backend.ts gathers memory twins',
  'redis-twin': 'only redis-ports.ts gathers Redis twins',
  'away-twin': 'only resilient-ports.ts gathers away twins',
};

/**
 * @param {Place} from
 * @param {Place} to
 * @param {boolean} typeOnly
 * @returns {string | undefined} what is wrong with the import, or undefined when it is allowed
 */
export function objection(from, to, typeOnly) {
  if (from.zone === 'testing') return undefined;
  const { any = [], own = [], types = [] } = arrows[from.zone] ?? {};
  const sameFeature = from.feature !== undefined && from.feature === to.feature;
  if (any.includes(to.zone)) return undefined;
  if (sameFeature && own.includes(to.zone)) return undefined;
  if (types.includes(to.zone)) return typeOnly ? undefined : `${from.zone} may import ${to.zone} only as a type`;
  const whose = to.feature === undefined || sameFeature ? '' : ' of another feature';
  return reasons[to.zone] ?? `${from.zone} may not import ${to.zone}${whose}`;
}
