import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { installedMajorVersion, RedisProcess } from './redis-process.js';
import { RespConnection, type RespArgument, type RespReply } from './resp-connection.js';
import { waitUntil } from './waiting.js';

/** What kind of server to start. */
export interface RedisServerOptions {
  /**
   * One node in cluster mode that owns every slot, so that commands across slots fail with CROSSSLOT. Default false.
   * Redis lets a master serve only 2 s after its start, at `restart()` too: share such a server among tests.
   */
  readonly cluster?: boolean;
  /** A configuration file to begin with, which the server may rewrite. Arguments win over it. */
  readonly config?: string;
  /** More arguments for `redis-server`, such as `['--maxmemory', '16mb']`; they win over ours. */
  readonly args?: readonly string[];
  /** The port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Where the server keeps its files. Default: a new directory, removed by `stop()`. A given one stays. */
  readonly dir?: string;
}

/** A real `redis-server` of one's own. It keeps nothing on disk unless told to, and never outlives this process. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  /** The process id of the server; another one after `restart()`. */
  readonly processId: number;
  /**
   * Runs one command on a connection of the server's own, over RESP2; resolves with the reply as it is. Rejects with the
   * text of an error reply, or when the server is not running or goes away meanwhile.
   */
  command(...command: readonly RespArgument[]): Promise<RespReply>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(): void;
  /** SIGCONT: what arrived meanwhile is executed now. */
  resume(): void;
  /** SIGKILL; resolves when the process is gone. `restart()` brings it back. */
  kill(): Promise<void>;
  /** Kills the server if it runs, starts it on the same port and directory, and resolves when it answers. */
  restart(): Promise<void>;
  /** Ends the server, paused or not, and removes its directory unless `dir` was given. Calling it twice is harmless. */
  stop(): Promise<void>;
}

/** How often another free port is tried when somebody was faster. */
const portAttempts = 5;

/** How long a server may take to start: loading, or the 2 s a cluster master waits. */
const startTimeoutMs = 10_000;

/** How long a server may take to end by itself, before it is killed. */
const stopTimeoutMs = 1000;

/**
 * Starts a server and resolves when it answers.
 *
 * @throws MissingDependencyError when no `redis-server` is on PATH; AssertionError, with what the server printed, when it
 *   does not start, or when the `port` asked for is taken.
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const majorVersion = await installedMajorVersion();
  const directory = options.dir ?? (await mkdtemp(join(tmpdir(), 'commonhold-redis-')));
  const attempts = options.port === undefined ? portAttempts : 1;
  for (let attempt = 1; ; attempt += 1) {
    const server = new LocalServer(options, majorVersion, options.port ?? (await freePort()), directory);
    try {
      await server.start();
      return server;
    } catch (error) {
      const retry = attempt < attempts && server.portTaken;
      await server.end(!retry);
      if (!retry) throw error;
    }
  }
}

class LocalServer implements RedisServer {
  readonly port: number;
  readonly #arguments: readonly string[];
  readonly #cluster: boolean;
  readonly #directory: string;
  readonly #ownsDirectory: boolean;
  #process: RedisProcess | undefined;
  #connection: Promise<RespConnection> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: RedisServerOptions, majorVersion: number, port: number, directory: string) {
    this.port = port;
    this.#cluster = options.cluster ?? false;
    this.#directory = directory;
    this.#ownsDirectory = options.dir === undefined;
    this.#arguments = serverArguments(options, majorVersion, port, directory);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get processId(): number {
    return this.#running().id;
  }

  /** Whether the last start failed because something else listens on the port. */
  get portTaken(): boolean {
    return this.#process?.logTail().includes('Address already in use') ?? false;
  }

  async start(): Promise<void> {
    const started = new RedisProcess(this.#arguments, this.#directory, this.#ownsDirectory);
    this.#process = started;
    await waitUntil(
      () => `redis-server on port ${this.port} to answer. It printed:\n${started.logTail()}`,
      () => Promise.race([this.#answers(started), started.exited.then(() => false)]),
      { timeoutMs: startTimeoutMs },
    );
    if (this.#cluster) await this.#formCluster();
  }

  async command(...command: readonly RespArgument[]): Promise<RespReply> {
    this.#connection ??= this.#connect();
    const connection = await this.#connection;
    return connection.send(...command);
  }

  pause(): void {
    this.#running().signal('SIGSTOP');
  }

  resume(): void {
    this.#running().signal('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#process?.signal('SIGKILL');
    await this.#process?.exited;
    await this.#disconnect();
  }

  async restart(): Promise<void> {
    assert(this.#stopped === undefined, 'the server was stopped, and a stopped server does not start again');
    await this.kill();
    await this.start();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.end(true);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async end(removeDirectory: boolean): Promise<void> {
    await this.#terminate();
    await this.#disconnect();
    if (removeDirectory && this.#ownsDirectory) await rm(this.#directory, { recursive: true, force: true });
  }

  async #terminate(): Promise<void> {
    const ending = this.#process;
    if (ending === undefined) return;
    ending.signal('SIGCONT');
    ending.signal('SIGTERM');
    // An endless script does not let the server act on SIGTERM.
    await waitUntil('redis-server to end', () => !ending.running, { timeoutMs: stopTimeoutMs }).catch(() =>
      ending.signal('SIGKILL'),
    );
    await ending.exited;
  }

  #running(): RedisProcess {
    assert(this.#process?.running, `redis-server on port ${this.port} is not running`);
    return this.#process;
  }

  async #connect(): Promise<RespConnection> {
    const forget = (): void => void (this.#connection = undefined);
    try {
      const connection = await RespConnection.open(this.port);
      void connection.closed.then(forget);
      return connection;
    } catch (cause) {
      forget();
      throw new Error(`redis-server on port ${this.port} does not accept connections`, { cause });
    }
  }

  async #disconnect(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  /** Looks at the process id as well: what listens on the port could be a server somebody else started. */
  async #answers(started: RedisProcess): Promise<boolean> {
    assert(started.running, `redis-server on port ${this.port} ended at once. It printed:\n${started.logTail()}`);
    try {
      const info = await this.command('INFO', 'server');
      const ours = typeof info === 'string' && info.includes(`process_id:${started.id}\r\n`);
      if (!ours) await this.#disconnect();
      return ours && (await this.command('PING')) === 'PONG';
    } catch {
      return false;
    }
  }

  async #formCluster(): Promise<void> {
    // After a restart the node remembers its slots. ADDSLOTSRANGE is shorter, and 7.0 or later only.
    if ((await this.#clusterFact('cluster_slots_assigned')) === '0') {
      await this.command('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
    }
    await waitUntil('cluster_state:ok', async () => (await this.#clusterFact('cluster_state')) === 'ok', {
      timeoutMs: startTimeoutMs,
    });
  }

  async #clusterFact(name: string): Promise<string | undefined> {
    const info = String(await this.command('CLUSTER', 'INFO'));
    return new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1];
  }
}

function serverArguments(
  options: RedisServerOptions,
  majorVersion: number,
  port: number,
  directory: string,
): readonly string[] {
  const config = options.config === undefined ? [] : [options.config];
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  const nothingOnDisk = ['--save', '', '--appendonly', 'no'];
  const debug = majorVersion >= 7 ? ['--enable-debug-command', 'yes'] : [];
  const cluster = options.cluster ? ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] : [];
  return [...config, ...place, ...nothingOnDisk, ...debug, ...cluster, ...(options.args ?? [])];
}
