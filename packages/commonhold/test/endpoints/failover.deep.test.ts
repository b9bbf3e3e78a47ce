import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type RedisSentinels, startRedisSentinels } from '../../src/testing/redis-sentinel.js';
import { silentLog } from '../backend/redis/connected.js';
import { type FailoverOutcome, killMaster, pauseMaster } from './failover.js';

const rounds = Number(process.env['COMMONHOLD_FAILOVERS'] ?? 10);

describe(`${rounds} failovers of each kind, with sentinels that call a master down after 1 s`, () => {
  let sentinels: RedisSentinels;
  let state: SharedState;
  beforeAll(async () => {
    sentinels = await startRedisSentinels({ replicas: 2 });
    const redis = { sentinels: sentinels.urls, master: 'main' };
    state = await openState({ namespace: 'app', redis, away: 'throw', environment: {}, log: silentLog });
  });
  afterAll(async () => {
    await state?.close();
    await sentinels?.stop();
  });

  async function repeat(failover: typeof killMaster): Promise<FailoverOutcome[]> {
    const outcomes: FailoverOutcome[] = [];
    for (let round = 0; round < rounds; round++) {
      outcomes.push(await failover(sentinels, state));
      for (const server of sentinels.servers) if (!(await answers(server))) await server.restart();
      await sentinels.settled();
    }
    return outcomes;
  }

  it('a master killed with -9', async () => {
    const outcomes = await repeat(killMaster);
    report('killed with -9', outcomes);
  });

  it('a master that stood still and goes on', async () => {
    const outcomes = await repeat(pauseMaster);
    report('stood still and went on', outcomes);
    expect(sum(outcomes, 'later').lost).toBe(0);
  });
});

/** Prints what failovers came to. @throws when something durable was lost, or they took longer than 3 s as a rule. */
function report(what: string, outcomes: readonly FailoverOutcome[]): void {
  const times = outcomes.map(({ awayMs }) => awayMs).toSorted((one, other) => one - other);
  const middleMs = times[Math.floor(times.length / 2)] ?? 0;
  const [plain, durable] = [sum(outcomes, 'plain'), sum(outcomes, 'durable')];
  console.log(
    `${what}: ${times.length} times; away for ${times[0]} to ${times.at(-1)} ms, half of them up to ${middleMs} ms; ` +
      `acknowledged and lost: ${plain.lost} of ${plain.acknowledged} plain, ${durable.lost} of ${durable.acknowledged} durable`,
  );
  expect(durable.lost).toBe(0);
  expect(middleMs).toBeLessThanOrEqual(3_000);
}

function sum(outcomes: readonly FailoverOutcome[], kind: 'plain' | 'durable' | 'later'): FailoverOutcome['plain'] {
  return {
    acknowledged: outcomes.reduce((total, outcome) => total + outcome[kind].acknowledged, 0),
    lost: outcomes.reduce((total, outcome) => total + outcome[kind].lost, 0),
  };
}

async function answers(server: { command(...words: string[]): Promise<unknown> }): Promise<boolean> {
  return server.command('PING').then(
    () => true,
    () => false,
  );
}
