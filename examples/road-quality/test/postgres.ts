import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, constants, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, waitUntil } from 'commonhold/testing';
import { Client } from 'pg';

/** A PostgreSQL of a test's own. */
export interface PostgresServer {
  /** An empty database of its own with each call. */
  database(): Promise<string>;
  /** SIGSTOP to all of its processes: connections stay open and nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Ends it at once, as a crash does; `start` brings it back with what it stored. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts Debian's PostgreSQL, or the one on PATH, on a free port. It refuses to run as root, so root starts it as the user
 * `postgres` that its package made.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-postgres-'));
  const server = new LocalPostgres(directory, await freePort());
  server.initialise();
  await server.start();
  return server;
}

/** Waits for the end of this process, however it comes, and then ends the server: an exit handler would not run. */
const guardScript = `trap '' INT TERM HUP; read -r line; kill -QUIT "$1"; sleep 1; rm -rf -- "$2"`;

class LocalPostgres implements PostgresServer {
  readonly #directory: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #guard: ChildProcess | undefined;
  #databases = 0;

  constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
  }

  initialise(): void {
    const data = this.#directory;
    // The user it runs as makes its folder in here.
    chmodSync(data, 0o777);
    const [name, args] = asUser(program('initdb'), '-D', join(data, 'data'), '-A', 'trust', '-U', 'road', '--no-sync');
    const { status, stderr } = spawnSync(name, args, { encoding: 'utf8', cwd: data });
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
  }

  async start(): Promise<void> {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=60'];
    const [name, args] = asUser(
      program('postgres'),
      ...['-D', join(this.#directory, 'data'), '-p', String(this.#port)],
      ...settings.flatMap((setting) => ['-c', setting]),
    );
    // Its processes form a group, so that all of them can be stopped.
    this.#child = spawn(name, args, { stdio: 'ignore', cwd: this.#directory, detached: true });
    const { pid } = this.#child;
    this.#guard = spawn('sh', ['-c', guardScript, 'guard', String(pid), this.#directory], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.unref();
    await waitUntil('PostgreSQL to answer', () => this.#answers(), { timeoutMs: 15_000 });
  }

  async database(): Promise<string> {
    const name = `road_${++this.#databases}`;
    await this.#run('postgres', `create database ${name}`);
    return this.#url(name);
  }

  pause(): void {
    this.#signalAll('SIGSTOP');
  }

  resume(): void {
    this.#signalAll('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#end('SIGQUIT');
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#end('SIGQUIT');
    await rm(this.#directory, { recursive: true, force: true });
  }

  #url(database: string): string {
    return `postgres://road@127.0.0.1:${this.#port}/${database}`;
  }

  async #run(database: string, sql: string): Promise<void> {
    const client = new Client({ connectionString: this.#url(database) });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  async #answers(): Promise<boolean> {
    return this.#run('postgres', 'select 1').then(
      () => true,
      () => false,
    );
  }

  /** The server gives each of its processes a group of its own, so they are found by their parent. */
  #signalAll(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null) return;
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
    for (const id of [pid, ...stdout.split('\n').map(Number).filter(Boolean)]) {
      try {
        process.kill(id, signal);
      } catch {
        // One that served a connection ended meanwhile.
      }
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#guard?.kill('SIGKILL');
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

/** How to run `command` as somebody who is not root. */
function asUser(command: string, ...args: string[]): [name: string, args: string[]] {
  if (process.getuid?.() !== 0) return [command, args];
  return ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', command, ...args]];
}

/** The path of one of PostgreSQL's programs. `POSTGRES_BIN` wins. */
function program(name: string): string {
  const folders = [process.env['POSTGRES_BIN'] ?? '', ...(process.env['PATH'] ?? '').split(delimiter), ...installed()];
  const paths = folders.filter((folder) => folder !== '').map((folder) => join(folder, name));
  const found = paths.find((path) => isExecutable(path));
  if (found === undefined) throw new Error(`${name} is not installed: sudo apt-get install postgresql`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps each version apart; Homebrew does when a version is asked for. */
function installed(): string[] {
  const list = (folder: string): string[] => {
    try {
      return readdirSync(folder)
        .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
        .map((name) => join(folder, name, 'bin'));
    } catch {
      return [];
    }
  };
  return ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'].flatMap(list);
}
