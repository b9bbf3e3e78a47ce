import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import type { AwayPlace } from '../../src/backend/resilient/away-place.js';
import { Journal } from '../../src/backend/resilient/journal.js';
import { JournalScope } from '../../src/backend/resilient/journal-scope.js';
import { createKeys } from '../../src/keys.js';
import { AwayRateLimit } from '../../src/rate-limit/away-rate-limit.js';
import { parseRule, type RateLimitRule } from '../../src/rate-limit/rule.js';
import { createManualClock } from '../../src/testing/manual-clock.js';

const rules: RateLimitRule[] = [
  '10 per minute',
  { algorithm: 'sliding-window', limit: 10, window: '1m' },
  { algorithm: 'token-bucket', capacity: 10, refill: 10, every: '1m' },
  { algorithm: 'gcra', limit: 10, window: '1m', burst: 10 },
];

/** How many of 20 hits one of so many processes admits. */
async function share(rule: RateLimitRule, processes: number, weight: number = 1): Promise<number> {
  const clock = createManualClock();
  const memory = createMemoryStore({ clock });
  const [journal, tally] = [new JournalScope(new Journal('o'), 'n'), new Map<string, number>()];
  const place: AwayPlace = {
    clock,
    memory,
    journal,
    tally,
    owner: 'o',
    tell: () => undefined,
    onReturn: () => undefined,
    processes: () => processes,
  };
  const { consume } = new AwayRateLimit(place, createKeys('n')).answers;
  const meters = [parseRule(rule, 'rule')];
  const readings = await Promise.all(Array.from({ length: 20 }, async () => consume?.('l', 's', meters, weight)));
  return readings.filter((reading) => reading?.allowed).length;
}

describe('the share of a process', () => {
  it.each(rules)('is the limit divided by the processes, rounded up, at least one hit: %o', async (rule) => {
    expect(await share(rule, 1)).toBe(10);
    expect(await share(rule, 3)).toBe(4);
    expect(await share(rule, 100)).toBe(1);
    expect(await share(rule, 100, 5)).toBe(1);
  });
});
