import { describe, expect, it } from 'vitest';
import { EvictionWatch } from '../../../src/backend/redis/eviction-watch.js';
import { parseServerFacts } from '../../../src/backend/redis/server-facts.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';

describe('EvictionWatch', () => {
  it('tells of keys that were dropped while it looked, at most every 30 s, and of none dropped before', async () => {
    const clock = createManualClock();
    let told = 0;
    const watch = new EvictionWatch(clock, () => told++);
    const see = (evicted: number, runId = 'a'): void =>
      watch.see(parseServerFacts(`run_id:${runId}\r\nevicted_keys:${evicted}\r\n`));
    see(7);
    see(7);
    expect(told).toBe(0);
    see(8);
    see(9);
    expect(told).toBe(1);
    await clock.advance(30_000);
    see(9);
    expect(told).toBe(2);
    see(0, 'b');
    see(0, 'b');
    await clock.advance(30_000);
    see(0, 'b');
    expect(told).toBe(2);
    see(1, 'b');
    expect(told).toBe(3);
  });
});
