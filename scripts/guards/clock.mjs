import { Visitor } from 'oxc-parser';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

const src = 'packages/commonhold/src/';
/** The injected clock and random source, and the test kit that replaces them. */
const exempt = new RegExp(`^${src}(?:clock\\.ts|random\\.ts|testing/)`);

/** Under any owner and under none: an alias would hide the call. */
const names = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'randomUUID',
  'randomBytes',
  'randomInt',
  'getRandomValues',
]);
const members = new Set(['Date.now', 'performance.now', 'Math.random', 'AbortSignal.timeout', 'process.hrtime']);
const modules = /^(?:node:)?timers(?:\/promises)?$/;

const advice = 'take it from the injected Clock or Random';

/** @returns {Violation[]} */
function guardFile(/** @type {SourceFile} */ file) {
  /** @type {Violation[]} */
  const violations = [];
  const found = (/** @type {number} */ offset, /** @type {string} */ what) =>
    void violations.push(file.violation(offset, `${what}: ${advice}`));
  const visitor = new Visitor({
    ImportDeclaration: (node) => {
      if (modules.test(node.source.value)) found(node.start, node.source.value);
    },
    Identifier: ({ name, start }) => {
      if (names.has(name)) found(start, name);
    },
    CallExpression: ({ callee, start }) => {
      if (callee.type === 'Identifier' && callee.name === 'Date') found(start, 'Date()');
    },
    NewExpression: ({ callee, start, arguments: given }) => {
      if (callee.type === 'Identifier' && callee.name === 'Date' && given.length === 0) found(start, 'new Date()');
    },
    MemberExpression: ({ object, property, start }) => {
      if (object.type !== 'Identifier' || property.type !== 'Identifier') return;
      const name = `${object.name}.${property.name}`;
      if (members.has(name)) found(start, name);
    },
  });
  visitor.visit(file.parsed.program);
  return violations;
}

/**
 * Time and chance enter the library only through clock.ts and random.ts, so that a test can hold both still.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardClock(files) {
  return files
    .filter((file) => file.isScript && file.path.startsWith(src) && !exempt.test(file.path))
    .flatMap(guardFile);
}
