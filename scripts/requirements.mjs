/** `npm run requirements`: every line of the lists with the tests that name it; fails on a gap. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * A promise, and what is written in place of a test.
 * @typedef {{ id: string, text: string, reason: string | undefined, later: string | undefined }} Requirement
 * @typedef {{ file: string, title: string }} NamedTest
 */

const idPattern = /\b(?:S[0-4]|[HX])\.\d+\b/g;
const lists = ['docs/requirements.md', 'docs/holes.md'];
/** String literals of one line; a test's title is one. */
const literal = /'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`/g;
/** Its examples are no tests of the systems. */
const ownTest = /[/\\]requirements\.test\.ts$/;
const testFile = /(?:\.test\.ts|-conformance\.ts|(?:^|\/)test\/contract[\w-]*\.ts)$/;

/**
 * @param {string} markdown
 * @returns {Requirement[]}
 */
export function parseRequirements(markdown) {
  const entries = markdown.matchAll(/^- ((?:S[0-4]|[HX])\.\d+): (.*(?:\n {2}.*)*)/gm);
  return Array.from(entries, ([, id = '', body = '']) => {
    const [text = '', ...notes] = body.split(/\n? {2}(?=(?:Reason|Later): )/);
    const note = (/** @type {string} */ name) =>
      notes
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2)
        .replace(/\s+/g, ' ');
    return { id, text: text.replace(/\s+/g, ' '), reason: note('Reason'), later: note('Later') };
  });
}

/**
 * The tests of one source that name a requirement, by its id.
 * @param {string} file
 * @param {string} source
 * @returns {Map<string, NamedTest[]>}
 */
export function namedIn(file, source) {
  /** @type {Map<string, NamedTest[]>} */
  const named = new Map();
  for (const [, single, double, template] of source.matchAll(literal)) {
    const title = single ?? double ?? template ?? '';
    for (const [id] of title.matchAll(idPattern)) named.set(id, [...(named.get(id) ?? []), { file, title }]);
  }
  return named;
}

/** Lines with neither a test nor a note. */
export function gaps(/** @type {Requirement[]} */ requirements, /** @type {Map<string, NamedTest[]>} */ tests) {
  return requirements.filter(({ id, reason, later }) => !tests.has(id) && (reason ?? later) === undefined);
}

/** Ids in titles that no line has: a typing error, or a line that was dropped. */
export function strangers(/** @type {Requirement[]} */ requirements, /** @type {Map<string, NamedTest[]>} */ tests) {
  const known = new Set(requirements.map(({ id }) => id));
  return [...tests.keys()].filter((id) => !known.has(id));
}

function testFiles(/** @type {string} */ root) {
  return ['packages', 'examples', 'scripts', 'deploy'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/node_modules|[/\\]dist(?:[/\\]|$)/.test(entry.parentPath))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => testFile.test(path) && !ownTest.test(path)),
  );
}

function collect(/** @type {string} */ root) {
  /** @type {Map<string, NamedTest[]>} */
  const all = new Map();
  for (const path of testFiles(root)) {
    for (const [id, tests] of namedIn(relative(root, path), readFileSync(path, 'utf8'))) {
      all.set(id, [...(all.get(id) ?? []), ...tests]);
    }
  }
  return all;
}

function describe(/** @type {Requirement} */ { id, text, reason, later }, /** @type {NamedTest[]} */ tests = []) {
  const lines = tests.map(({ file, title }) => `      ${file}: ${title}`);
  if (reason !== undefined) lines.push(`      no test: ${reason}`);
  if (later !== undefined) lines.push(`      later: ${later}`);
  if (lines.length === 0) lines.push('      GAP');
  return [`${id.padEnd(6)}${text}`, ...lines].join('\n');
}

function main() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const requirements = lists.flatMap((list) => parseRequirements(readFileSync(join(root, list), 'utf8')));
  const tests = collect(root);
  for (const requirement of requirements) console.log(describe(requirement, tests.get(requirement.id)));
  const open = gaps(requirements, tests).map(({ id }) => id);
  const unknown = strangers(requirements, tests);
  const named = requirements.filter(({ id }) => tests.has(id)).length;
  console.log(`\n${requirements.length} promises: ${named} named by tests, ${open.length} gaps.`);
  if (open.length > 0) console.error(`Without test or reason: ${open.join(', ')}`);
  if (unknown.length > 0) console.error(`Named by tests, but no promise: ${unknown.join(', ')}`);
  if (open.length + unknown.length > 0) process.exitCode = 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
