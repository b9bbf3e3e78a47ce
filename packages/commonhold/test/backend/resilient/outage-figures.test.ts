import { describe, expect, it } from 'vitest';
import { quantile } from '../../figures.js';
import { outageFaults, outageRound } from './outage-round.js';

describe('an outage', () => {
  it('is noticed at once, keeps no call waiting, and is over soon after Redis is back', async () => {
    const round = await outageRound(outageFaults['kill -9'], { calls: 100, forMs: 300 });
    expect(Math.max(...round.noticedMs, ...round.subscriberNoticedMs)).toBeLessThan(1_000);
    expect(round.latestMs).toBeLessThan(50);
    expect([...round.awayMs].filter(([, tookMs]) => quantile(tookMs, 0.5) > 2)).toEqual([]);
    expect(Math.max(...round.backMs)).toBeLessThan(3_000);
  });
});
