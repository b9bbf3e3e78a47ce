import { describe, expect, it } from 'vitest';
import { journalBytes } from '../../../src/backend/resilient/journal.js';
import { useOutages } from '../../outage.js';
import { fillJournal, writesWhileAway } from './journal-memory.js';

const attempts = 200_000;

describe(`${attempts} writes while Redis is away`, () => {
  const start = useOutages();

  it.each(Object.entries(writesWhileAway))(
    'to %s: memory is bounded, and what was taken comes there',
    async (name, writes) => {
      const figures = await fillJournal(await start(), writes, { attempts, maxBytes: journalBytes });
      const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
      console.log(
        `${attempts} writes to ${name}: ${figures.taken} taken, ${figures.refused} refused, ${figures.missing} missing; ` +
          `journal ${mebibytes(figures.journalBytes)} of ${mebibytes(journalBytes)}, heap +${mebibytes(figures.heapBytes)}; ` +
          `slowest ${figures.slowestMs.toFixed(1)} ms; all there after ${figures.backMs.toFixed(0)} ms`,
      );
      expect(figures.taken + figures.refused).toBe(attempts);
      expect(figures.refused).toBeGreaterThan(0);
      expect(figures.journalBytes).toBeLessThanOrEqual(journalBytes);
      expect(figures.heapBytes).toBeLessThanOrEqual(1.5 * journalBytes);
      expect(figures.missing).toBe(0);
    },
  );
});
