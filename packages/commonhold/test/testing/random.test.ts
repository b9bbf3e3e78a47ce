import { afterEach, describe, expect, it, vi } from 'vitest';
import { seededRandom, seedFromEnvironment } from '../../src/testing/random.js';

describe('seededRandom', () => {
  it('repeats itself, for ever: a seed in a report of last year still replays', () => {
    const random = seededRandom(42);
    // The figures come from another implementation of sfc32, in another language.
    expect(random.bytes(8).toString('hex')).toBe('4b74e94a271cc351');
    expect(random.number()).toBe(0.3520738827082186);
    expect(random.number()).toBe(0.7656229848450931);
  });

  it('differs by seed, neighbours and negatives too', () => {
    const seeds = [0, 1, 2, -1, -2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    const starts = seeds.map((seed) => seededRandom(seed).bytes(16).toString('hex'));
    expect(new Set(starts).size).toBe(seeds.length);
  });

  it('gives numbers from 0 to below 1, spread evenly', () => {
    const random = seededRandom(7);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let count = 0; count < 10_000; count += 1) {
      const tenth = Math.floor(random.number() * 10);
      tenths[tenth] = (tenths[tenth] ?? Number.NaN) + 1;
    }
    expect(tenths).toHaveLength(10);
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('gives every byte', () => {
    expect(new Set(seededRandom(7).bytes(10_000)).size).toBe(256);
    expect(seededRandom(7).bytes(0)).toHaveLength(0);
  });

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])('refuses %s as a seed', (seed) => {
    expect(() => seededRandom(seed)).toThrow('a safe integer');
  });
});

describe('seedFromEnvironment', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('takes the seed that is set', () => {
    vi.stubEnv('COMMONHOLD_SEED', '-1234');
    expect(seedFromEnvironment()).toBe(-1234);
  });

  it.each([undefined, ''])('makes a fresh one when the variable is %j', (value) => {
    vi.stubEnv('COMMONHOLD_SEED', value);
    const seeds = Array.from({ length: 20 }, seedFromEnvironment);
    expect(new Set(seeds).size).toBeGreaterThan(15);
    for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31).toBe(true);
  });

  it.each(['abc', '1.5', '0x10', ' 7', '99999999999999999999'])('refuses %j', (value) => {
    vi.stubEnv('COMMONHOLD_SEED', value);
    expect(() => seedFromEnvironment()).toThrow('COMMONHOLD_SEED: expected a whole number');
  });
});
