import { describe, expect, it } from 'vitest';
import { describeSuite } from '../../src/testing/suite.js';
import { onEveryEngine } from '../engines.js';

/** Shorter than the timer that covers a lost wake-up. */
const soonMs = 400;

onEveryEngine((kind) =>
  describeSuite({ describe, it }, kind, 'waiting for a cached value', (test) => {
    test('ends when what is computed was deleted: the waiting one computes anew', async (engine) => {
      const [one, two] = [(await engine.open()).cache<number>('c'), (await engine.open()).cache<number>('c')];
      await new Promise<void>((began) => {
        void one.getOrSet('k', () => {
          began();
          return new Promise<number>(() => undefined);
        });
      });
      const waiting = two.getOrSet('k', () => 2);
      // The look of the waiting one went before this on the same connection.
      await two.get('k');
      const sinceMs = performance.now();
      await one.delete('k');
      expect(await waiting).toBe(2);
      expect(performance.now() - sinceMs).toBeLessThan(soonMs);
    });
  }),
);
