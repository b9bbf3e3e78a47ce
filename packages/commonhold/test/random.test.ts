import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jittered, systemRandom } from '../src/random.js';

describe('systemRandom', () => {
  it('gives as many bytes as asked, and numbers from 0 to below 1', () => {
    expect(systemRandom.bytes(0)).toHaveLength(0);
    expect(systemRandom.bytes(33)).toHaveLength(33);
    expect(systemRandom.bytes(32).equals(systemRandom.bytes(32))).toBe(false);
    for (let draw = 0; draw < 1_000; draw++) {
      const number = systemRandom.number();
      expect(number >= 0 && number < 1).toBe(true);
    }
  });
});

describe('jittered', () => {
  it('lies in the second half of the delay', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.integer({ min: 1, max: 100_000 }),
        (number, delayMs) => {
          const delay = jittered({ ...systemRandom, number: () => number }, delayMs);
          return delay >= delayMs / 2 && delay < delayMs;
        },
      ),
    );
  });
});
