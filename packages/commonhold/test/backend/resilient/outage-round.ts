import { isCommonholdError } from '../../../src/errors.js';
import { openState } from '../../../src/open-state.js';
import type { SharedState } from '../../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../../src/testing/fault-proxy.js';
import { type RedisServer, startRedisServer } from '../../../src/testing/redis-server.js';
import { pause, waitUntil } from '../../../src/testing/waiting.js';
import { allCalls, type OutageCall, singleSteps } from './outage-calls.js';

interface Site {
  readonly server: RedisServer;
  readonly proxy: FaultProxy;
}

interface OutageFault {
  begin(site: Site): Promise<void> | void;
  /** Resolves when Redis can be reached again. */
  end(site: Site): Promise<void> | void;
}

/** How a server goes away. */
export const outageFaults: Readonly<Record<'kill -9' | 'SIGSTOP' | 'half-open', OutageFault>> = {
  'kill -9': { begin: ({ server }) => server.kill(), end: ({ server }) => server.restart() },
  SIGSTOP: { begin: ({ server }) => server.pause(), end: ({ server }) => server.resume() },
  'half-open': { begin: ({ proxy }) => proxy.blackhole(), end: ({ proxy }) => proxy.pass() },
};

/** What one outage showed, in milliseconds, of each process. */
export interface OutageRound {
  /** From the fault until a process that calls knew of it. */
  readonly noticedMs: readonly number[];
  /** Likewise, of one that only subscribes. */
  readonly subscriberNoticedMs: readonly number[];
  /** From the return of Redis until a process said that all is well. */
  readonly backMs: readonly number[];
  /** How long after its deadline the last call was settled; less than 0 for before. */
  readonly latestMs: number;
  readonly calls: number;
  /** How long calls took while away, by their name. */
  readonly awayMs: ReadonlyMap<string, readonly number[]>;
}

const [callers, subscribers] = [5, 5];
/** At such a time one call of each state. */
const callEveryMs = 10;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** How long an outage is, at least. */
export interface OutageLength {
  /** Of each feature, one after the other. */
  readonly calls: number;
  /** After those. */
  readonly forMs: number;
}

/** Has one fault begin and end under ten states: five call every 10 ms, and five wait for messages. */
export async function outageRound(fault: OutageFault, { calls, forMs }: OutageLength): Promise<OutageRound> {
  await using server = await startRedisServer({ args: ['--appendonly', 'yes'] });
  await using proxy = await startFaultProxy({ port: server.port });
  const open = (): Promise<SharedState> => openState({ namespace: 'n', redis: `redis://127.0.0.1:${proxy.port}`, log });
  const states = await Promise.all(Array.from({ length: callers + subscribers }, open));
  const calling = states.slice(0, callers);
  for (const state of states.slice(callers)) await state.channel('news').subscribe(() => undefined);
  const pace = new Pace(calling);
  await pause(500);
  const gone = await whenAll(states, 'degraded', () => fault.begin({ server, proxy }));
  const before = await pace.stop();
  const awayMs = await timeCalls(calling[0] as SharedState, calls);
  const again = new Pace(calling);
  await pause(forMs);
  const back = await whenAll(states, 'recovered', () => fault.end({ server, proxy }), true);
  const settled = [...before, ...(await again.stop())];
  await Promise.all(states.map((state) => state.close()));
  return {
    noticedMs: gone.slice(0, callers),
    subscriberNoticedMs: gone.slice(callers),
    backMs: back,
    latestMs: Math.max(...settled),
    calls: settled.length,
    awayMs,
  };
}

/** Until every state told of `event`: for each how long that took from when `act` was begun, or was done. */
async function whenAll(
  states: readonly SharedState[],
  event: 'degraded' | 'recovered',
  act: () => Promise<void> | void,
  fromItsEnd = false,
): Promise<number[]> {
  const toldAtMs: number[] = [];
  const undo = states.map((state, index) => state.on(event, () => void (toldAtMs[index] ??= performance.now())));
  const beganAtMs = performance.now();
  await act();
  const sinceMs = fromItsEnd ? performance.now() : beganAtMs;
  await waitUntil(`${event} of all`, () => Object.keys(toldAtMs).length === states.length, { timeoutMs: 20_000 });
  for (const stop of undo) stop();
  return toldAtMs.map((atMs) => Math.max(0, atMs - sinceMs));
}

/** Calls every step in turn until it is stopped. */
class Pace {
  readonly #calls: Promise<number>[] = [];
  #running = true;
  readonly #ended: Promise<void>;

  constructor(states: readonly SharedState[]) {
    this.#ended = this.#run(states.map((state) => Object.entries(singleSteps(state))));
  }

  /** By how many milliseconds each call was settled after its deadline. Fails where one never is. */
  async stop(): Promise<number[]> {
    this.#running = false;
    await this.#ended;
    return Promise.all(this.#calls.splice(0));
  }

  async #run(steps: readonly (readonly [string, OutageCall])[][]): Promise<void> {
    let n = 0;
    while (this.#running) {
      for (const calls of steps) {
        const [name, call] = calls[n % calls.length] as (typeof calls)[number];
        const number = n;
        this.#calls.push(afterDeadline(name, () => call(number)));
      }
      n += 1;
      await pause(callEveryMs);
    }
  }
}

async function afterDeadline(name: string, call: () => Promise<unknown>): Promise<number> {
  return (await timed(call)) - (name.startsWith('cache.') ? 100 : 500);
}

async function timeCalls(state: SharedState, times: number): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, readonly number[]>();
  for (const [name, call] of Object.entries(allCalls(state))) {
    const tookMs: number[] = [];
    for (let n = 0; n < times; n++) tookMs.push(await timed(() => call(n)));
    found.set(name, tookMs);
  }
  return found;
}

/** How long `call` takes, however it ends. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  const beganAtMs = performance.now();
  await call().catch((error: unknown) => {
    if (!isCommonholdError(error)) throw error;
  });
  return performance.now() - beganAtMs;
}
