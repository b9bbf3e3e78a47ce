import type { Environment } from 'commonhold';
import type { FastifyBaseLogger } from 'fastify';
import type { LogStream } from './http/request-log.js';
import { readSettings, type Settings } from './settings.js';
import { StateServer } from './state-server.js';
import type { StopOptions } from './stop.js';
import type { System } from './system.js';

/** How to start. */
export interface ServerOptions {
  /** Whether the paths of the one system are at the root instead of under its name. Default false. */
  readonly atRoot?: boolean;
  /** Where settings come from. Default `process.env`. */
  readonly environment?: Environment;
  /** The level of the log where `LOG_LEVEL` is unset. Default `info`. */
  readonly logLevel?: string;
  /** Where log lines go. Default standard output. */
  readonly logStream?: LogStream;
}

/** A server that answers. */
export interface RunningServer extends AsyncDisposable {
  /** Its address, such as `http://127.0.0.1:5000`. */
  readonly url: string;
  /** Where the state lives, for people: `in memory` or `Redis at localhost:6379`. */
  readonly place: string;
  readonly log: FastifyBaseLogger;
  /** What the environment said. */
  readonly settings: Settings;
  /**
   * Stops in order: `/ready` says 503; after `noticeMs` no connection is taken; systems finish what they do; sockets are
   * closed so that clients connect elsewhere; requests in flight are answered; state is closed. Calling it again gives the
   * same promise.
   *
   * @throws StopError naming what failed or did not end within `withinMs`; all connections are cut by then.
   */
  readonly stop: (options?: StopOptions) => Promise<void>;
}

/** Paths and namespaces of the server's own. */
const reserved = new Set(['health', 'live', 'ready', 'metrics', 'page', 'socket.io', 'v1']);

/**
 * Serves `systems` on one port, each under `/<name>`; resolves when it answers.
 *
 * It leaves the process alone: signals and exit codes are `runServer`'s.
 *
 * @throws InvalidArgumentError for a bad variable; StartError when the port is taken, the data directory cannot be used or
 *   the address needs `ADMIN_TOKEN`; whatever a system's `mount` rejects with. Nothing stays behind.
 */
export async function startServer(systems: readonly System[], options: ServerOptions = {}): Promise<RunningServer> {
  const { atRoot = false, environment = process.env, logStream } = options;
  checkSystems(systems, atRoot);
  const settings = readSettings(environment);
  const logLevel = settings.logLevel ?? options.logLevel ?? 'info';
  const server = new StateServer({ systems, atRoot, environment, settings, logLevel, logStream });
  try {
    await server.start();
  } catch (error) {
    // What failed first is the news.
    await server.stop().catch(() => undefined);
    throw error;
  }
  return {
    url: server.url,
    place: server.place,
    log: server.http.log,
    settings,
    stop: (stopOptions) => server.stop(stopOptions),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function checkSystems(systems: readonly System[], atRoot: boolean): void {
  const names = systems.map(({ name }) => name);
  if (atRoot && names.length !== 1) throw new TypeError(`atRoot: expected one system, received ${names.length}`);
  for (const [index, name] of names.entries()) {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(name) || reserved.has(name) || names.indexOf(name) !== index) {
      throw new TypeError(`A system's name: expected lower-case letters, digits and '-', of its own; received ${name}`);
    }
  }
}
