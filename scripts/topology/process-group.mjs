import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How to start a program.
 * @typedef {{ name: string, command: string, args: readonly string[], env: Record<string, string>, cwd: string }} Program
 */

const killAfterMs = 20_000;

/**
 * Waits until its standard input closes, which the system does when this process ends, be it by `kill -9`; then kills the
 * process groups it was told of and removes the directory.
 */
const guardScript = `trap '' INT TERM HUP
groups=
while read -r group; do groups="$groups -$group"; done
[ -z "$groups" ] || kill -s KILL -- $groups
rm -rf -- "$1"`;

/** A process with a group of its own, so that Ctrl-C does not reach it and nothing that it starts outlives it. */
export class GroupProcess {
  /** @type {string} */
  name;
  #child;
  #logFile;
  /** @type {Promise<void>} */
  exited;

  /**
   * @param {Program} program
   * @param {string} directory where its output goes, to `<name>.log`
   */
  constructor({ name, command, args, env, cwd }, directory) {
    this.name = name;
    this.#logFile = join(directory, `${name}.log`);
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    if (this.#child.pid === undefined) throw new Error(`${command} cannot be started`);
  }

  get id() {
    return this.#child.pid ?? 0;
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it printed. */
  logTail() {
    return readFileSync(this.#logFile, 'utf8').slice(-2_000);
  }

  /**
   * Sends a signal and waits for the end; after 20 s the group is killed.
   * @param {NodeJS.Signals} signal
   */
  async end(signal) {
    if (!this.running) return;
    this.#child.kill(signal);
    const late = new AbortController();
    const kill = sleep(killAfterMs, undefined, { signal: late.signal }).then(
      () => process.kill(-this.id, 'SIGKILL'),
      () => undefined,
    );
    await this.exited;
    late.abort();
    await kill;
  }
}

/** Kills what it was told of, and removes the directory, should this process end without doing so itself. */
export class Guard {
  #child;

  constructor(/** @type {string} */ directory) {
    this.#child = spawn('sh', ['-c', guardScript, 'guard', directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.unref();
  }

  watch(/** @type {GroupProcess} */ { id }) {
    this.#child.stdin.write(`${id}\n`);
  }

  /** For when all has ended in order. */
  async dismiss() {
    this.#child.ref();
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
