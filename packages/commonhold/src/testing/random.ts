import { randomInt } from 'node:crypto';
import { InvalidArgumentError } from '../errors.js';
import type { Random } from '../random.js';

/** The environment variable that replays a failed run. */
const seedVariable = 'COMMONHOLD_SEED';

/**
 * A source of chance that depends on `seed` alone: the same seed gives the same sequence, on every machine. Not for
 * secrets. Numbers carry 53 random bits.
 *
 * @param seed any safe integer.
 * @throws InvalidArgumentError for any other number.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('seededRandom seed', 'a safe integer', seed);
  const next = smallFastCounter(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
  return {
    bytes: (size) => Buffer.from(Uint8Array.from({ length: size }, () => next() >>> 24)),
    number: () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53,
  };
}

/**
 * The seed of a model check: `COMMONHOLD_SEED` when set, else a fresh one in [0, 2^31).
 *
 * A run that does not print its seed cannot be replayed, so put it where a failure shows it: give it to fast-check, which
 * reports it with the counterexample, or name it in the message of the assertion. `COMMONHOLD_SEED=<seed>` then repeats
 * the run.
 *
 * @throws InvalidArgumentError when the variable holds anything but a whole number.
 */
export function seedFromEnvironment(): number {
  const text = process.env[seedVariable];
  if (text === undefined || text === '') return randomInt(2 ** 31);
  const seed = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw new InvalidArgumentError(seedVariable, 'a whole number', text);
  }
  return seed;
}

/** The sfc32 generator (PractRand): 128 bits of state, 32 bits a call, no known weakness, a few lines. */
function smallFastCounter(low: number, high: number): () => number {
  let a = 0;
  let b = low;
  let c = high;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  // Neighbouring seeds start alike; twelve rounds are what the author of the generator gives to part them.
  for (let round = 0; round < 12; round += 1) next();
  return next;
}
