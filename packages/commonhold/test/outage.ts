import { afterEach } from 'vitest';
import type { OpenOptions } from '../src/options.js';
import { openState } from '../src/open-state.js';
import type { SharedState } from '../src/shared-state.js';
import { type RedisServer, startRedisServer } from '../src/testing/redis-server.js';
import { waitUntil } from '../src/testing/waiting.js';

/** A log that keeps what it is told. */
export interface KeptLog {
  readonly lines: string[];
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A server of a test's own, which it may kill, and what is opened on it. */
export interface OutageSite {
  readonly server: RedisServer;
  readonly log: KeptLog;
  /** One more state on the server, in namespace `n`, as another process would have it. */
  open(options?: OpenOptions): Promise<SharedState>;
  /** Kills the server with -9 and waits until every state has noticed. */
  leave(): Promise<void>;
  /** Starts the server again, with what was saved, and waits until every state says that all is well. */
  comeBack(): Promise<void>;
  /** Stops the process of the server where it stands, and waits until every state has noticed. */
  hang(): Promise<void>;
  /** Has the server go on, and waits as `comeBack`. */
  goOn(): Promise<void>;
}

/** What a server is like. */
export interface OutageOptions {
  /** Whether it comes back with what was in it. Default true. */
  readonly keeps?: boolean;
}

/** Starts servers of a test's own, and declares their end. */
export function useOutages(): (options?: OutageOptions) => Promise<OutageSite> {
  const sites: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const site of sites.splice(0)) await site.close();
  });
  return async ({ keeps = true } = {}) => {
    // Everything acknowledged is in the log of the server, so that nothing is lost with it.
    const server = await startRedisServer({ args: keeps ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [] });
    const states: SharedState[] = [];
    const log = keptLog();
    sites.push({
      close: async () => {
        await Promise.all(states.map((state) => state.close()));
        await server.stop();
      },
    });
    return {
      server,
      log,
      open: async (options) => {
        const state = await openState({ namespace: 'n', redis: server.url, log, ...options });
        states.push(state);
        return state;
      },
      leave: async () => {
        await server.kill();
        await whenAll(states, false);
      },
      comeBack: async () => {
        await server.restart();
        await whenAll(states, true);
      },
      hang: async () => {
        server.pause();
        await Promise.all(states.map((state) => state.probe().catch(() => undefined)));
        await whenAll(states, false);
      },
      goOn: async () => {
        server.resume();
        await whenAll(states, true);
      },
    };
  };
}

async function whenAll(states: readonly SharedState[], connected: boolean): Promise<void> {
  const what = connected ? 'Redis to be back' : 'Redis to be away';
  await waitUntil(what, () => states.every((state) => state.status().connected === connected), { timeoutMs: 20_000 });
}

function keptLog(): KeptLog {
  const lines: string[] = [];
  const keep = (_: object, message: string): void => void lines.push(message);
  return { lines, info: keep, warn: keep, error: keep };
}
