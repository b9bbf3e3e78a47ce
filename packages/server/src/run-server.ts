import { isCommonholdError } from 'commonhold';
import { StartError } from './start-error.js';
import { type RunningServer, type ServerOptions, startServer } from './start-server.js';
import type { System } from './system.js';

/**
 * As `startServer`, and makes the process a good citizen: one line says where it listens, one line says why it does not;
 * SIGTERM and SIGINT stop it gracefully with exit code 0, or 1 when something did not end in time; an error that nobody
 * caught is logged and stops it with exit code 1. Another signal while it stops ends it at once.
 *
 * To a terminal it writes one plain line, and log lines from `warn` up; else JSON lines from `info` up.
 */
export async function runServer(systems: readonly System[], options: ServerOptions = {}): Promise<void> {
  const isTerminal = process.stdout.isTTY;
  const server = await start(systems, { logLevel: isTerminal ? 'warn' : 'info', ...options });
  // Whoever reads the line may send a signal at once.
  const exit = new Exit(server);
  stopOnSignals(server, exit);
  stopOnErrors(server, exit);
  const words = `Commonhold on ${server.url} (${server.place})`;
  if (isTerminal) process.stdout.write(`${words}\n`);
  else server.log.info({ url: server.url, systems: systems.map(({ name }) => name) }, words);
}

/** Resolves with the server, or ends the process. */
async function start(systems: readonly System[], options: ServerOptions): Promise<RunningServer> {
  try {
    return await startServer(systems, options);
  } catch (error) {
    // Standard error may be a pipe, which is written to later. A system that failed halfway may have left threads.
    await new Promise<void>((resolve) => process.stderr.write(`${reasonOf(error)}\n`, () => resolve()));
    return process.exit(1);
  }
}

/** One line for what a person can put right; the whole error for what only a developer can. */
function reasonOf(error: unknown): string {
  const isExplained = error instanceof StartError || isCommonholdError(error);
  if (isExplained) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** How long after the first a signal counts as the same one: npm passes on the Ctrl-C that the terminal sent to all. */
const sameSignalMs = 500;

/** The end of the process. The first to ask for it says how; any that comes with a bad code makes it bad. */
class Exit {
  readonly #server: RunningServer;
  #code = 0;
  #begunAtMs: number | undefined;

  constructor(server: RunningServer) {
    this.#server = server;
  }

  /** Milliseconds since it was begun; undefined before. */
  get ageMs(): number | undefined {
    return this.#begunAtMs === undefined ? undefined : performance.now() - this.#begunAtMs;
  }

  begin(code: 0 | 1, noticeMs: number): void {
    this.#code = Math.max(this.#code, code);
    if (this.#begunAtMs !== undefined) return;
    this.#begunAtMs = performance.now();
    void this.#stopAndExit(noticeMs);
  }

  async #stopAndExit(noticeMs: number): Promise<void> {
    const { log } = this.#server;
    try {
      await this.#server.stop({ noticeMs });
      log.info('stopped');
    } catch (error) {
      log.error(`stopped badly: ${error instanceof Error ? error.message : String(error)}`);
      this.#code = 1;
    }
    process.exit(this.#code);
  }
}

function stopOnSignals(server: RunningServer, exit: Exit): void {
  const stopOn = (signal: NodeJS.Signals, noticeMs: number): void => {
    process.on(signal, () => {
      if (exit.ageMs === undefined) server.log.info({ signal }, 'stopping');
      else if (exit.ageMs > sameSignalMs) process.exit(1);
      exit.begin(0, noticeMs);
    });
  };
  // A balancer sends SIGTERM. Who presses Ctrl-C waits for nobody.
  stopOn('SIGTERM', server.settings.drainNoticeMs);
  stopOn('SIGINT', 0);
}

function stopOnErrors({ log }: RunningServer, exit: Exit): void {
  const stopAfter = (error: unknown, origin: string): void => {
    log.fatal({ err: error, origin }, 'an error that nobody caught: stopping');
    exit.begin(1, 0);
  };
  process.on('uncaughtException', (error) => stopAfter(error, 'uncaughtException'));
  process.on('unhandledRejection', (reason) => stopAfter(reason, 'unhandledRejection'));
}
