import { posix } from 'node:path';

/** @typedef {import('./source-file.mjs').SourceFile} SourceFile */
/** @typedef {import('./source-file.mjs').Violation} Violation */

/**
 * A named place in a header: `KEYS[2] claim`, or `ARGV[3...] fields` for all from there on.
 * @typedef {{ index: number, rest: boolean }} Slot
 */

const commentOrString = /--\[\[[\s\S]*?\]\]|--[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\[\[[\s\S]*?\]\]/g;

/** What a script may not say, and why. @type {[RegExp, string][]} */
const forbidden = [
  [/\bP?EXPIREAT\b|\bP?XAT\b|\bEXAT\b/i, 'an absolute expiry escapes the clock of the tests; use PEXPIRE or PX'],
  [/redis\.p?call\s*\(\s*['"]TIME['"]/i, 'the runner supplies `now`'],
  [/\bos\.(?:time|clock|date)\b/, 'the runner supplies `now`'],
  [/redis\.p?call\s*\(\s*['"](?:KEYS|FLUSHALL|FLUSHDB|CONFIG|SCRIPT|EVAL\w*)['"]/i, 'not a command for a script'],
  [/\b(?:loadstring|load|dofile)\s*\(/, 'a script is constant; nothing is compiled in it'],
];

/** Comments become spaces, so that positions stay and words in comments do not count. */
function withoutComments(/** @type {string} */ text) {
  return text.replace(commentOrString, (part) => (part.startsWith('--') ? part.replace(/[^\n]/g, ' ') : part));
}

/** The comment lines at the top, without their dashes. */
function headerOf(/** @type {string} */ text) {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  return lines.slice(0, end === -1 ? lines.length : end).map((line) => line.slice(2).trim());
}

/** `cache/claim.lua` for any path that ends in `cache/lua/claim.lua`. */
function titleOf(/** @type {string} */ path) {
  const [folder, , file] = path.split('/').slice(-3);
  return `${folder}/${file}`;
}

/** @returns {Slot[]} */
function slotsNamed(/** @type {string[]} */ header, /** @type {string} */ list) {
  const text = header.filter((line) => line.startsWith(`${list}[`)).join('\n');
  return [...text.matchAll(new RegExp(`${list}\\[(\\d+)(\\.\\.\\.)?\\] \\w+`, 'g'))].map((match) => ({
    index: Number(match[1]),
    rest: match[2] !== undefined,
  }));
}

function shapeProblem(/** @type {Slot[]} */ slots, /** @type {string} */ list) {
  if (slots.some(({ index }, position) => index !== position + 1)) return `${list} are not named 1, 2, 3 in order`;
  if (slots.slice(0, -1).some(({ rest }) => rest)) return `only the last of ${list} can stand for the rest`;
  return undefined;
}

function readsComputed(/** @type {string} */ list, /** @type {string} */ body) {
  return new RegExp(`#\\s*${list}|\\(\\s*${list}\\s*[,)]|[^\\w.]${list}\\[\\s*[^\\d\\s]`).test(body);
}

/**
 * Compares what the header names with what is read: `own` by the script itself, `whole` also by what it includes. An
 * included function that reads the rest of a list need not be called here.
 * @param {Slot[]} slots
 * @param {string} list
 * @param {string} own
 * @param {string} whole
 * @returns {string | undefined}
 */
function useProblem(slots, list, own, whole) {
  const indexes = [...whole.matchAll(new RegExp(`${list}\\[(\\d+)\\]`, 'g'))].map((match) => Number(match[1]));
  const highest = Math.max(0, ...indexes);
  const count = slots.length;
  if (!slots.at(-1)?.rest) {
    if (readsComputed(list, own)) return `the body reads ${list} by a computed index; name the last as ${list}[n...]`;
    return highest === count ? undefined : `the header names ${count} ${list}, the body reads up to ${highest}`;
  }
  if (highest >= count || readsComputed(list, whole)) return undefined;
  return `the header names ${list}[${count}...], the body reads none of them`;
}

/** @returns {(string | undefined)[]} */
function headerProblems(/** @type {string} */ path, /** @type {string[]} */ header) {
  const [title = '', purpose = ''] = header;
  const expected = titleOf(path);
  const titled = title.startsWith(`${expected}, layout `) && /, layout \d+$/.test(title);
  const purposeful = !/^(?:KEYS\[|ARGV\[|Returns\b|Defines\b|include\b|$)/.test(purpose);
  return [
    titled ? undefined : `the first line is not "-- ${expected}, layout N"`,
    purposeful ? undefined : 'the second line does not say what the script does',
  ];
}

/** @returns {(string | undefined)[]} */
function scriptProblems(/** @type {string[]} */ header, /** @type {string} */ own, /** @type {string} */ whole) {
  const lists = ['KEYS', 'ARGV'].map((list) => {
    const slots = slotsNamed(header, list);
    return shapeProblem(slots, list) ?? useProblem(slots, list, own, whole);
  });
  const returns = header.some((line) => /^Returns \S/.test(line));
  return [...lists, returns ? undefined : 'no line says what it returns: "-- Returns ..."'];
}

/** A file to include has functions in place of a result: `-- Defines job_key, wake` or `-- Defines civil(day)`. */
function definedNames(/** @type {string[]} */ header) {
  const line = header.find((text) => text.startsWith('Defines '));
  return (
    line
      ?.slice('Defines '.length)
      .replace(/\([^)]*\)/g, '')
      .match(/^\w+|(?<=, )\w+/g) ?? undefined
  );
}

/** @returns {(string | undefined)[]} */
function definitionProblems(/** @type {string[]} */ names, /** @type {string} */ body) {
  return names.map((name) =>
    new RegExp(`^local (?:function )?${name}\\b`, 'm').test(body)
      ? undefined
      : `"Defines ${name}", which the body does not`,
  );
}

const include = /^-- include (\S+)$/gm;

/**
 * The body as it is sent: included files stand where they are named.
 * @param {SourceFile} file
 * @param {Map<string, SourceFile>} scripts
 * @returns {string}
 */
function wholeBody(file, scripts) {
  const whole = file.text.replace(include, (_line, /** @type {string} */ name) => {
    const included = scripts.get(posix.join(posix.dirname(file.path), name));
    return included ? wholeBody(included, scripts) : '';
  });
  return withoutComments(whole);
}

/** @returns {(string | undefined)[]} */
function includeProblems(/** @type {SourceFile} */ file, /** @type {Map<string, SourceFile>} */ scripts) {
  return [...file.text.matchAll(include)].map(([, name = '']) =>
    scripts.has(posix.join(posix.dirname(file.path), name)) ? undefined : `include ${name}: there is no such file`,
  );
}

/** @returns {Violation[]} */
function guardFile(/** @type {SourceFile} */ file, /** @type {Map<string, SourceFile>} */ scripts) {
  const header = headerOf(file.text);
  const body = withoutComments(file.text);
  const names = definedNames(header);
  const problems = [
    ...headerProblems(file.path, header),
    ...includeProblems(file, scripts),
    ...(names ? definitionProblems(names, body) : scriptProblems(header, body, wholeBody(file, scripts))),
  ];
  const words = forbidden.flatMap(([pattern, why]) => {
    const match = pattern.exec(body);
    return match ? [file.violation(match.index, `${match[0]}: ${why}`)] : [];
  });
  return [...problems.flatMap((message) => (message ? [file.violation(0, message)] : [])), ...words];
}

/**
 * Every Lua script begins with a header that matches its body: path and layout, purpose, keys, arguments, result. A
 * file that others include says which functions it defines; its keys and arguments are named by those who include it.
 * @param {SourceFile[]} files
 * @returns {Violation[]}
 */
export function guardLuaHeaders(files) {
  const scripts = new Map(files.filter((file) => file.path.endsWith('.lua')).map((file) => [file.path, file]));
  return [...scripts.values()].flatMap((file) => guardFile(file, scripts));
}
