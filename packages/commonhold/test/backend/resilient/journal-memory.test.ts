import { describe, expect, it } from 'vitest';
import { useOutages } from '../../outage.js';
import { fillJournal, writesWhileAway } from './journal-memory.js';

describe('writes that wait for Redis', () => {
  const start = useOutages();

  it('take no more memory than their bound says, and are all there when it is back', async () => {
    const maxBytes = 2_000_000;
    const figures = await fillJournal(await start(), writesWhileAway['keys of a map'], { attempts: 10_000, maxBytes });
    expect(figures.taken).toBeGreaterThan(1_000);
    expect(figures.refused).toBeGreaterThan(1_000);
    // So small a bound is doubled by what else a process comes to keep meanwhile.
    expect(figures.heapBytes).toBeLessThanOrEqual(2 * maxBytes);
    expect(figures.missing).toBe(0);
  });
});
