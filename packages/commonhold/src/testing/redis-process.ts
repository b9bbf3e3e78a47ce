import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MissingDependencyError } from '../errors.js';

/** The major version of the `redis-server` on PATH. Throws MissingDependencyError when there is none. */
export async function installedMajorVersion(): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)('redis-server', ['--version']);
    return Number(/v=(\d+)\./.exec(stdout)?.[1] ?? 0);
  } catch (cause) {
    throw new MissingDependencyError('redis-server', 'a test on a real server', {
      cause,
      advice: 'Install redis-server 6.2 or later and put it on PATH.',
    });
  }
}

/** A running `redis-server`, which dies with this process however this process dies. */
export class RedisProcess {
  readonly id: number;
  /** Resolves once the process is gone. */
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #logFile: string;

  /**
   * @param directory where the log goes.
   * @param removeWithUs whether `directory` is removed when this process dies before the server was ended.
   */
  constructor(args: readonly string[], directory: string, removeWithUs: boolean) {
    this.#logFile = join(directory, 'redis-server.log');
    const log = openSync(this.#logFile, 'w');
    // A file and not a pipe: the server can then write while this process is busy.
    this.#child = spawn('redis-server', args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child.on('error', () => {}); // A process that could not be made has no id, which is what is checked.
    assert(this.#child.pid !== undefined, 'the system could not make a process for redis-server');
    this.id = this.#child.pid;
    const guard = startGuard(this.id, removeWithUs ? directory : '');
    this.exited = once(this.#child, 'exit').then(() => void guard.kill('SIGKILL'));
  }

  /** Whether the process has not yet ended. */
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal; does nothing when the process is gone. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  /** The end of what the server printed, for an error message. */
  logTail(): string {
    return readFileSync(this.#logFile, 'utf8').slice(-2000);
  }
}

/**
 * Waits until its standard input closes, which the system does when this process ends, be it by `kill -9`; an exit
 * handler would not run then. It ignores Ctrl-C, which reaches it as well and which a stopped server does not act on.
 */
const guardScript = `trap '' INT TERM HUP; read -r line; kill -KILL "$1"; [ -z "$2" ] || rm -rf -- "$2"`;

function startGuard(processId: number, directory: string): ChildProcess {
  const guard = spawn('sh', ['-c', guardScript, 'guard', String(processId), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  return guard;
}
