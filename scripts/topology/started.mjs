import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from 'commonhold/testing';
import { GroupProcess, Guard } from './process-group.mjs';

/** The repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
const portAttempts = 3;
const startTimeoutMs = 30_000;
const lookEveryMs = 25;

/** Debian has nginx where a user's PATH does not look. */
const path = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`;

/** Programs that were started together, and a directory for their files. They end with this process, however it ends. */
export class Started {
  /** @type {GroupProcess[]} */
  processes = [];
  directory;
  #guard;

  /** Use `Started.open()`. */
  constructor(/** @type {string} */ directory) {
    this.directory = directory;
    this.#guard = new Guard(directory);
  }

  /** With an empty directory, and nothing started yet. */
  static async open() {
    return new Started(await mkdtemp(join(tmpdir(), 'commonhold-topology-')));
  }

  /** @param {{ name: string, command: string, args: readonly string[], env?: Record<string, string> }} program */
  start({ env = {}, ...program }) {
    const environment = { PATH: path, HOME: process.env.HOME ?? '', ...env };
    const started = new GroupProcess({ ...program, env: environment, cwd: root }, this.directory);
    this.#guard.watch(started);
    this.processes.push(started);
    return started;
  }

  /** Those first that depend on the others. */
  async stop() {
    const of = (/** @type {RegExp} */ name) => this.processes.filter((one) => name.test(one.name));
    await Promise.all(of(/^nginx/).map((nginx) => nginx.end('SIGTERM')));
    await Promise.all(of(/^server/).map((server) => server.end('SIGINT')));
    await Promise.all(of(/^redis/).map((redis) => redis.end('SIGTERM')));
    await this.#guard.dismiss();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Looks until `condition` holds. @throws Error with what the process printed, when it ended or time is up */
export async function until(/** @type {GroupProcess} */ program, /** @type {() => Promise<boolean>} */ condition) {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await condition())) {
    if (program.running && performance.now() < deadline) {
      await sleep(lookEveryMs);
      continue;
    }
    throw new Error(`${program.name} did not start. It printed:\n${program.logTail()}`);
  }
}

/** Whether the address answers with a success. */
export async function answers(/** @type {string} */ url) {
  return fetch(url).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

/**
 * Starts on a port that was free a moment ago, and on another should somebody have been faster.
 * @template Result
 * @param {(port: number) => Promise<Result>} start
 * @returns {Promise<Result>}
 */
export async function onFreePort(start) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = /already in use|is taken/i.test(String(error));
      if (!taken || attempt === portAttempts) throw error;
    }
  }
}
