import { openState } from '../../src/open-state.js';
import type { OpenOptions } from '../../src/options.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { type RedisServer, type RedisServerOptions, startRedisServer } from '../../src/testing/redis-server.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';
import type { Sightings } from './sightings.js';

/** The user and the password that states connect with. The password must never be printed. */
export const appUser = 'app';
export const canaryPassword = 'canary-password-a41c';

/** What a fault needs, and what it does to it. */
export interface FaultWorld extends AsyncDisposable {
  readonly server: RedisServer;
  /** Between the subject and the store. */
  readonly proxy: FaultProxy;
  readonly subject: SharedState;
  readonly other: SharedState;
  readonly sightings: Sightings;
  /** Ends or undoes something when the world ends, last first. */
  readonly defer: (undo: () => unknown) => void;
  /** Does something again and again, whatever becomes of it, until the fault is healed. */
  readonly repeat: (everyMs: number, fault: () => unknown) => void;
  /** Ends what is repeated. */
  readonly calm: () => void;
  /** Opens another state; it is closed with the world. */
  readonly open: (options: OpenOptions) => Promise<SharedState>;
}

/** How a world differs from one server, a proxy and two states. */
export interface WorldOptions {
  readonly server?: RedisServerOptions;
  /** Where the states connect to instead; the first is the subject's. */
  readonly places?: (world: Pick<FaultWorld, 'server' | 'proxy' | 'defer'>) => Promise<readonly OpenOptions[]>;
  /** More options of the two states. */
  readonly states?: readonly OpenOptions[];
}

/** The arguments by which a server knows the user of the states. */
export const userArguments: readonly string[] = ['--user', appUser, 'on', `>${canaryPassword}`, '~*', '&*', '+@all'];

/** A URL with user and password. */
export function appUrl(port: number, host: string = '127.0.0.1'): string {
  return `redis://${appUser}:${canaryPassword}@${host}:${port}`;
}

/** Starts a world. Everything that its states log is searched for secrets. */
export async function startWorld(sightings: Sightings, options: WorldOptions = {}): Promise<FaultWorld> {
  const undo: (() => unknown)[] = [];
  const defer = (one: () => unknown): void => void undo.push(one);
  const end = async (): Promise<void> => {
    for (const one of undo.toReversed()) await Promise.resolve(one()).catch(() => undefined);
  };
  const open = async (own: OpenOptions): Promise<SharedState> => {
    const state = await openState({ namespace: 'faults', environment: {}, log: searchedLog(sightings), ...own });
    defer(() => state.close());
    await waitUntil('the connection', () => state.status().connected);
    return state;
  };
  try {
    const { args = [], ...server } = options.server ?? {};
    const started = await startRedisServer({ ...server, args: [...userArguments, ...args] });
    defer(() => started.stop());
    const proxy = await startFaultProxy({ port: started.port });
    defer(() => proxy.stop());
    const places = (await options.places?.({ server: started, proxy, defer })) ?? [
      { redis: appUrl(proxy.port) },
      { redis: appUrl(started.port) },
    ];
    const [subject, other] = await Promise.all(
      [0, 1].map((index) => open({ ...places[index], ...options.states?.[index] })),
    );
    if (subject === undefined || other === undefined) throw new Error('a world has two states');
    const repeats = new Repeats();
    defer(() => repeats.stop());
    const calm = (): void => repeats.stop();
    const repeat = (everyMs: number, fault: () => unknown): void => void repeats.begin(everyMs, fault);
    const made = { server: started, proxy, subject, other };
    return { ...made, sightings, defer, repeat, calm, open, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

function searchedLog(sightings: Sightings): NonNullable<OpenOptions['log']> {
  const search = (fields: object, message: string): void => {
    sightings.search(message, `the log line "${message}"`);
    sightings.search(fields, `the log line "${message}"`);
  };
  return { info: search, warn: search, error: search };
}

class Repeats {
  #round = 0;

  async begin(everyMs: number, fault: () => unknown): Promise<void> {
    const round = this.#round;
    while (round === this.#round) {
      await Promise.resolve()
        .then(fault)
        .catch(() => undefined);
      await pause(everyMs);
    }
  }

  stop(): void {
    this.#round += 1;
  }
}
