import { describe, expect, it } from 'vitest';
import { quantile, spread, tell } from '../../figures.js';
import { outageFaults, type OutageRound, outageRound } from './outage-round.js';

const rounds = 5;
/** Long enough for attempts to connect to be as far apart as they get. */
const length = { calls: 500, forMs: 3_500 };

describe('an outage in figures', () => {
  const all: OutageRound[] = [];

  it.each(Object.entries(outageFaults))('%s: is noticed, survived and left in time', async (name, fault) => {
    const found: OutageRound[] = [];
    for (let round = 0; round < rounds; round++) found.push(await outageRound(fault, length));
    all.push(...found);
    const [noticed, subscriber] = [found.map((one) => one.noticedMs), found.map((one) => one.subscriberNoticedMs)];
    const back = found.flatMap((one) => one.backMs);
    const latest = found.map((one) => one.latestMs);
    console.log(`${name}, medians of ${rounds} rounds (lowest to highest), in ms
  noticed by callers         ${tell(spread(noticed.map((ms) => Math.max(...ms))))}
  noticed by subscribers     ${tell(spread(subscriber.map((ms) => Math.max(...ms))))}
  back to normal, p50        ${quantile(back, 0.5).toFixed(0)}
  back to normal, p99        ${quantile(back, 0.99).toFixed(0)} of ${back.length}
  last call, from deadline   ${tell(spread(latest))} of ${found.reduce((sum, one) => sum + one.calls, 0)}`);
    expect(Math.max(...noticed.flat())).toBeLessThanOrEqual(1_000);
    expect(Math.max(...subscriber.flat())).toBeLessThanOrEqual(3_000);
    expect(quantile(back, 0.5)).toBeLessThanOrEqual(1_000);
    expect(quantile(back, 0.99)).toBeLessThanOrEqual(3_000);
    expect(Math.max(...latest)).toBeLessThanOrEqual(50);
  });

  it('no call of any feature takes 2 ms while Redis is away', () => {
    const names = [...(all[0]?.awayMs.keys() ?? [])];
    const byCall = names.map((name) => ({
      name,
      p99: spread(all.map((one) => quantile(one.awayMs.get(name) ?? [], 0.99))),
    }));
    console.log(`p99 while away, in ms: medians of ${all.length} outages (lowest to highest)`);
    for (const { name, p99 } of byCall) console.log(`  ${name.padEnd(20)} ${tell(p99, 3)}`);
    expect(byCall.filter(({ p99 }) => p99.median > 2)).toEqual([]);
  });
});
