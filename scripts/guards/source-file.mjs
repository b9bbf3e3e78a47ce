import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/**
 * One thing a guard objects to.
 * @typedef {{ path: string, line: number, message: string }} Violation
 */

/** @typedef {import('oxc-parser').ParseResult} ParseResult */

const script = /\.(?:[mc]?ts|[mc]?js)$/;

/** A text file of the repository, parsed when a guard first asks. */
export class SourceFile {
  /** Relative to the repository, with forward slashes. @type {string} */
  path;
  /** @type {string} */
  text;
  /** @type {ParseResult | undefined} */
  #parsed;

  constructor(/** @type {string} */ path, /** @type {string} */ text) {
    this.path = path;
    this.text = text;
  }

  /** Whether this is TypeScript or JavaScript. */
  get isScript() {
    return script.test(this.path);
  }

  /** Syntax tree, imports and comments. Only for scripts. */
  get parsed() {
    this.#parsed ??= parseSync(this.path, this.text);
    return this.#parsed;
  }

  /** The 1-based line that holds the character at `offset`. */
  lineAt(/** @type {number} */ offset) {
    return this.text.slice(0, offset).split('\n').length;
  }

  /**
   * A violation at the character at `offset`.
   * @param {number} offset
   * @param {string} message
   * @returns {Violation}
   */
  violation(offset, message) {
    return { path: this.path, line: this.lineAt(offset), message };
  }
}

/**
 * Every text file that is tracked or would be: what git knows and does not ignore.
 * @param {string} root
 * @returns {SourceFile[]}
 */
export function readTree(root) {
  const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout, stderr } = spawnSync('git', git, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`git ls-files failed: ${stderr}`);
  return stdout
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => new SourceFile(path, readFileSync(join(root, path), 'utf8')))
    .filter((file) => !file.text.includes('\0'));
}
