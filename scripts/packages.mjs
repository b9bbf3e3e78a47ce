import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * An entry of package-lock.json, as far as it is read here.
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry
 */

/** The platform is part of the stamp: some packages are binaries, and a folder may be mounted into a container. */
function stampOf(/** @type {string} */ lockText) {
  const hash = createHash('sha256').update(lockText).digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function readIfThere(/** @type {string} */ path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Whether `entry` is a binary for this platform; one for either C library of Linux may be absent. */
function isForThisPlatform(/** @type {LockEntry} */ { os, cpu, libc }) {
  const named = (os ?? cpu) !== undefined && libc === undefined;
  return named && (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true);
}

function isInstalled(/** @type {LockEntry} */ wanted, /** @type {LockEntry | undefined} */ installed) {
  if (installed === undefined) return wanted.optional === true && !isForThisPlatform(wanted);
  return wanted.version === installed.version && wanted.integrity === installed.integrity;
}

/**
 * Whether node_modules already holds what the lock file asks for, by the record that npm keeps there. After a developer's
 * own `npm install` it does, and installing anew would only pull the folder away from under running processes.
 * @param {string} lockText
 * @param {string | undefined} recordText
 * @returns {boolean}
 */
export function satisfies(lockText, recordText) {
  if (recordText === undefined) return false;
  /** @type {Record<string, LockEntry>} */
  const wanted = JSON.parse(lockText).packages;
  /** @type {Record<string, LockEntry>} */
  const installed = JSON.parse(recordText).packages;
  return Object.entries(wanted)
    .filter(([path]) => path.includes('node_modules/'))
    .every(([path, entry]) => isInstalled(entry, installed[path]));
}

function install(/** @type {string} */ root) {
  console.error('Installing the npm packages of package-lock.json into node_modules.');
  // The build tools are development packages, also where NODE_ENV=production would leave them out; nothing we use needs
  // an install script.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  const { status, error } = spawnSync('npm', ['ci', ...options, '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status === 0) return;
  throw new Error(`npm ci failed${error ? ` (${error.message})` : ''}: nothing was built or run.`);
}

/**
 * Makes node_modules hold what package-lock.json says. Reads two small files when it already does.
 * @param {string} root the repository, with a trailing slash or without
 * @throws Error when npm fails; its own output came before
 */
export function ensurePackages(root) {
  const stampPath = join(root, 'node_modules/.commonhold-stamp');
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = stampOf(lockText);
  if (readIfThere(stampPath) === stamp) return;
  if (!satisfies(lockText, readIfThere(join(root, 'node_modules/.package-lock.json')))) install(root);
  writeFileSync(stampPath, stamp);
}
