import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotCount, slotOf } from '../../src/backend/redis/slot.js';
import type { Engine } from '../../src/testing/engine.js';
import { redisClusterEngine } from '../../src/testing/engine.js';
import type { SharedState } from '../../src/shared-state.js';
import { type RedisCluster, startRedisCluster } from '../../src/testing/redis-cluster.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';
import { featureLoads, type FeatureLoad, lostWrites, runLoads } from './feature-load.js';

const deep = process.env['DEEP'] !== undefined;
const moves = deep ? 60 : 20;
/** For the test in which a master dies; a short one makes a busy machine take the living for dead. */
const nodeTimeoutMs = 1_000;

let cluster: RedisCluster;
let engine: Engine;
beforeAll(async () => {
  cluster = await startRedisCluster({ masters: 3, replicas: 1, nodeTimeoutMs: 5_000 });
  engine = await redisClusterEngine(cluster).start();
});
afterAll(async () => {
  await engine?.close();
  await cluster?.stop();
});

/** The states under load. */
let states: readonly [SharedState, SharedState];

async function loaded(deadline: number): Promise<FeatureLoad[]> {
  const redis = { cluster: cluster.urls, deadline, cacheDeadline: deadline };
  const namespace = `load-${randomInt(1e9)}`;
  states = [
    await engine.open({ redis, namespace, away: 'throw' }),
    await engine.open({ redis, namespace, away: 'throw' }),
  ];
  return featureLoads(...states);
}

/** Resolves when everybody has found the whole cluster again. */
function allConnected(): Promise<void> {
  return waitUntil('all states to be connected', () => states.every((state) => state.status().connected));
}

/** Moves slots that are in use, and some that are not, each to a master that does not have it. */
async function moveSlots(loads: readonly FeatureLoad[]): Promise<void> {
  const used = loads.flatMap(({ keys }) => keys).map(slotOf);
  for (let move = 0; move < moves; move++) {
    const slot = used[move % (used.length + 1)] ?? randomInt(slotCount);
    const masters = await cluster.masters();
    const to = masters[move % masters.length];
    if (to !== undefined) await cluster.moveSlot(slot, to);
    await pause(20);
  }
}

describe('a cluster of three masters with replicas, every feature at work', { timeout: 120_000 }, () => {
  it('slots that move are noticed by nobody, and nothing acknowledged is lost', async () => {
    const loads = await loaded(2_000);
    const { rounds, errors } = await runLoads(loads, () => moveSlots(loads));
    expect(errors).toEqual([]);
    expect(await lostWrites(loads)).toEqual({});
    expect(rounds).toBeGreaterThan(loads.length * 5);
  });

  it('a coordinated failover is noticed by nobody, and nothing acknowledged is lost', async () => {
    const loads = await loaded(2_000);
    const { errors } = await runLoads(loads, async () => {
      await pause(200);
      const [master] = await cluster.masters();
      if (master !== undefined) await cluster.failover(master);
      await pause(1_000);
    });
    // A master that has just become one may have no replica yet, which is when a durable call is refused before it runs.
    expect(errors.filter(({ message }) => !message.includes('no replica is connected'))).toEqual([]);
    expect(await lostWrites(loads)).toEqual({});
    await cluster.settled();
  });

  it('a master that stands still costs the others nothing, and its slots fail fast', async () => {
    const loads = await loaded(500);
    const state = await engine.open({ away: 'throw' });
    const [master] = await cluster.masters();
    const here = await keyAt(master, true);
    const elsewhere = await keyAt(master, false);
    const { errors } = await runLoads(loads, async () => {
      await pause(200);
      master?.pause();
      try {
        await waitUntil('the hang to be noticed', () => !state.status().connected);
        const startedAtMs = performance.now();
        await expect(state.counter(here).add()).rejects.toMatchObject({ code: 'Unavailable' });
        expect(performance.now() - startedAtMs).toBeLessThan(100);
        expect(await state.counter(elsewhere).add()).toBe(1);
        await expect(state.probe()).rejects.toMatchObject({ code: 'Unavailable' });
      } finally {
        master?.resume();
      }
      await cluster.settled();
    });
    expect(codes(errors)).toMatch(onlyOutages);
    await allConnected();
    await waitUntil('the state to be whole', () => succeeds(state.probe()));
    expect(await lostWrites(loads)).toEqual({});
  });

  it('a master killed with -9 gives Unavailable and OutcomeUnknown alone, and its slots are back in time', async () => {
    await Promise.all(
      cluster.servers.map((server) => server.command('CONFIG', 'SET', 'cluster-node-timeout', nodeTimeoutMs)),
    );
    const loads = await loaded(500);
    const probed = await engine.open({ away: 'throw' });
    const [master] = await cluster.masters();
    if (master === undefined) throw new Error('no master runs');
    const replica = await cluster.replicaOf(master);
    let electedMs = Infinity;
    let backMs = Infinity;
    let starvedMs = 0;
    const { errors } = await runLoads(loads, async () => {
      await pause(300);
      await master.kill();
      const killedAtMs = performance.now();
      const starved = measureStarvation();
      const every = { timeoutMs: 20_000 };
      await waitUntil('an election', async () => isMaster(await replica.command('ROLE')), every);
      electedMs = performance.now() - killedAtMs;
      await waitUntil('the whole cluster', () => succeeds(probed.probe()), every);
      backMs = performance.now() - killedAtMs;
      starvedMs = starved();
      await pause(300);
    });
    await allConnected();
    const lost = await lostWrites(loads);
    const times = `a new master after ${Math.round(electedMs)} ms, all slots back after ${Math.round(backMs)} ms (${Math.round(starvedMs)} ms without a turn)`;
    console.log(`${times}, ${errors.length} calls failed; acknowledged and lost:`, lost);
    expect(Object.keys(lost).filter((name) => name.startsWith('durable'))).toEqual([]);
    expect(codes(errors)).toMatch(onlyOutages);
    expect(backMs).toBeLessThan(nodeTimeoutMs + 2_500 + 2 * starvedMs);
    expect(backMs - electedMs).toBeLessThan(700 + starvedMs);
    expect(probed.status()).toMatchObject({ connected: true });
  });
});

const onlyOutages = /^(Unavailable|OutcomeUnknown|OutcomeUnknown,Unavailable)$/;

function codes(errors: readonly { readonly code: string; readonly message: string }[]): string {
  const wrong = errors.find(({ code }) => code !== 'Unavailable' && code !== 'OutcomeUnknown');
  return wrong?.message ?? [...new Set(errors.map(({ code }) => code))].toSorted().join();
}

/** The name of a counter that `server` serves, or that another one does. */
async function keyAt(server: RedisServer | undefined, there: boolean): Promise<string> {
  for (let number = 0; ; number++) {
    const name = `c${number}`;
    // The slot of a key is that of its tag alone.
    if (((await cluster.masterOf(`{${name}}`)) === server) === there) return name;
  }
}

/** How long this process, and so the servers beside it, waited for their turn since the call. */
function measureStarvation(): () => number {
  const everyMs = 5;
  let starvedMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    starvedMs += Math.max(0, now - lastMs - everyMs - 1);
    lastMs = now;
  }, everyMs);
  return () => {
    clearInterval(timer);
    return starvedMs;
  };
}

function isMaster(role: unknown): boolean {
  return Array.isArray(role) && role[0] === 'master';
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
