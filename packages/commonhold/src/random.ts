import { randomBytes } from 'node:crypto';

/** The only source of chance in the library. */
export interface Random {
  /** `size` unpredictable bytes. */
  bytes(size: number): Buffer;
  /** A number from 0 (included) to 1 (excluded). Not for secrets. */
  number(): number;
}

/** The randomness of the machine: cryptographic for bytes. */
export const systemRandom: Random = {
  bytes: (size) => randomBytes(size),
  number: () => Math.random(),
};

/** A delay spread evenly over the second half of `delayMs`, so that processes started together part ways. */
export function jittered(random: Random, delayMs: number): number {
  return delayMs * (0.5 + random.number() / 2);
}
