import { systemClock } from '../../../src/clock.js';
import type { StoreLossKind } from '../../../src/backend/backend.js';
import type { Log } from '../../../src/log.js';
import type { NamedOperation } from '../../../src/operation.js';
import { Epochs } from '../../../src/backend/redis/epochs.js';
import { RedisConnection } from '../../../src/backend/redis/redis-connection.js';
import { parseRedisUrl } from '../../../src/backend/redis/redis-endpoint.js';
import { type Script, serverTime } from '../../../src/backend/redis/script.js';
import { createKeys } from '../../../src/keys.js';
import { createOwner } from '../../../src/owner.js';
import { systemRandom } from '../../../src/random.js';
import { pause, waitUntil } from '../../../src/testing/waiting.js';

/** Operations of every kind, to send commands of a test's own with. */
export const reading: NamedOperation = { name: 'test.read', kind: 'read', away: 'refuse', deadline: 'state' };
export const mutating: NamedOperation = { name: 'test.mutate', kind: 'mutation', away: 'refuse', deadline: 'state' };
export const repeatable: NamedOperation = {
  name: 'test.repeat',
  kind: 'idempotent',
  away: 'refuse',
  deadline: 'state',
};
export const cacheReading: NamedOperation = { ...reading, name: 'test.cache', deadline: 'cache' };

export const incrementScript: Script = {
  name: 'test/increment.lua',
  source: "return redis.call('INCR', KEYS[1])",
};

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Keeps its lines, each as one text. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, info: note, warn: note, error: note };
}

/** What a new process knows of epochs: nothing. */
export function newEpochs(): Epochs {
  const owner = createOwner(systemRandom).id;
  return new Epochs({ owner, keys: createKeys('connected'), clock: systemClock, random: systemRandom });
}

/** A connection as a state has it, with the deadlines of the defaults, which closes at the end of the block. */
export async function connected(
  url: string,
  options: {
    readonly log?: Log;
    readonly deadlineMs?: { readonly state: number; readonly cache: number };
    readonly onLoss?: (kind: StoreLossKind) => void;
  } = {},
): Promise<RedisConnection & AsyncDisposable> {
  const epochs = newEpochs();
  const connection = await RedisConnection.open({
    endpoint: parseRedisUrl(url),
    deadlineMs: options.deadlineMs ?? { state: 500, cache: 100 },
    clock: systemClock,
    random: systemRandom,
    log: options.log ?? silentLog,
    scriptTime: serverTime,
    pulse: { epochs, keyFor: () => epochs.key(0) },
    onLoss: options.onLoss,
  });
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

/** What a call came to: its reply, or the code of its error. */
export async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return (error as { readonly code?: string }).code ?? error;
  }
}

/** How a call ended, and when. */
export interface Timed {
  readonly outcome: unknown;
  readonly ms: number;
  /** `ms`, less what a call loses when this process does not get its turn: that time, and as much again for the grace. */
  readonly fairMs: number;
}

/** What a call came to, and after how many milliseconds. */
export async function timed(call: Promise<unknown>): Promise<Timed> {
  const everyMs = 5;
  const startedAtMs = systemClock.monotonic();
  let lateMs = 0;
  let done = false;
  const watching = (async () => {
    while (!done) {
      const before = systemClock.monotonic();
      await pause(everyMs);
      lateMs += Math.max(0, systemClock.monotonic() - before - everyMs - 1);
    }
  })();
  const result = await outcome(call);
  const ms = systemClock.monotonic() - startedAtMs;
  done = true;
  await watching;
  return { outcome: result, ms, fairMs: ms - 2 * lateMs };
}

/** Waits until the connection is up again; how long is that of the requirement. */
export async function recovered(connection: RedisConnection): Promise<void> {
  await waitUntil(
    () => `the connection to be back: ${JSON.stringify(connection.status())}`,
    () => connection.status().connected,
    { timeoutMs: 3_000 },
  );
}

/** Waits until the connection was given up. */
export async function lost(connection: RedisConnection): Promise<void> {
  await waitUntil('the connection to be given up', () => !connection.status().connected);
}
