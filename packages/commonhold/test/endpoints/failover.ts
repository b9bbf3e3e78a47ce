import type { SharedState } from '../../src/shared-state.js';
import type { RedisSentinels } from '../../src/testing/redis-sentinel.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { countLost, type FailoverLoad, startFailoverLoad } from './failover-load.js';

/** How many of what was acknowledged was not there afterwards. */
export interface Lost {
  readonly acknowledged: number;
  readonly lost: number;
}

/** What a failover came to, under load. */
export interface FailoverOutcome {
  /** From the end of the master to the first write that another acknowledged. */
  readonly awayMs: number;
  readonly plain: Lost;
  readonly durable: Lost;
  /** Plain writes that were acknowledged after the old master went on. */
  readonly later: Lost;
  readonly errors: Readonly<Record<string, number>>;
}

/** Failover takes two seconds and more; a machine that is busy gets time. */
export const patient = { timeoutMs: 20_000 };

/** Who is named in the place of `old`, as soon as all agree. */
export async function successorOf(sentinels: RedisSentinels, old: RedisServer): Promise<RedisServer> {
  let named = old;
  const look = async (): Promise<boolean> => (named = await sentinels.master().catch(() => old)) !== old;
  await waitUntil('another to be named', look, patient);
  return named;
}

/** Kills the master with -9 while `state` writes. */
export function killMaster(sentinels: RedisSentinels, state: SharedState): Promise<FailoverOutcome> {
  return failOver(sentinels, state, async (old, load) => {
    await old.kill();
    return firstWriteAfter(state, load);
  });
}

/** Stops the master while `state` writes, and lets it go on when another has taken over. */
export function pauseMaster(sentinels: RedisSentinels, state: SharedState): Promise<FailoverOutcome> {
  return failOver(sentinels, state, async (old, load) => {
    old.pause();
    const awayMs = await firstWriteAfter(state, load);
    await successorOf(sentinels, old);
    old.resume();
    return awayMs;
  });
}

async function failOver(
  sentinels: RedisSentinels,
  state: SharedState,
  end: (old: RedisServer, load: FailoverLoad) => Promise<number>,
): Promise<FailoverOutcome> {
  const load = startFailoverLoad(state);
  try {
    await acknowledgedMore(load, 'durable', 5);
    const awayMs = await end(await sentinels.master(), load);
    const before = new Set(load.acknowledged.plain);
    await acknowledgedMore(load, 'plain', 500);
    await load.stop();
    return { awayMs, ...(await lossesOf(state, load, before)), errors: Object.fromEntries(load.errors) };
  } finally {
    await load.stop();
  }
}

async function firstWriteAfter(state: SharedState, load: FailoverLoad): Promise<number> {
  const beganAtMs = performance.now();
  await waitUntil('the master to be lost', () => !state.status().connected, patient);
  await acknowledgedMore(load, 'plain', 1);
  return Math.round(performance.now() - beganAtMs);
}

function acknowledgedMore(load: FailoverLoad, kind: 'plain' | 'durable', count: number): Promise<void> {
  const enough = load.acknowledged[kind].size + count;
  return waitUntil(
    () => `${kind} calls to succeed: ${JSON.stringify([...load.errors])}`,
    () => load.acknowledged[kind].size >= enough,
    patient,
  );
}

async function lossesOf(
  state: SharedState,
  { acknowledged: { plain, durable } }: FailoverLoad,
  before: ReadonlySet<string>,
): Promise<Pick<FailoverOutcome, 'plain' | 'durable' | 'later'>> {
  const lost = await countLost(state, { plain, durable });
  const later = new Set([...plain].filter((id) => !before.has(id)));
  const lostLater = await countLost(state, { plain: later, durable: new Set() });
  return {
    plain: { acknowledged: plain.size, lost: lost.plain },
    durable: { acknowledged: durable.size, lost: lost.durable },
    later: { acknowledged: later.size, lost: lostLater.plain },
  };
}
