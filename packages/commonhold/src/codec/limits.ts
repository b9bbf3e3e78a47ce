import { InvalidArgumentError, ValueTooLargeError } from '../errors.js';

/** Bounds on one value, which both directions of the codec enforce. */
export interface Limits {
  /** Bytes of the encoded value before compression. */
  readonly maxValueBytes: number;
  /** Objects, arrays, Maps and Sets around the innermost value. */
  readonly maxDepth: number;
}

/**
 * Most decimal digits of a BigInt. Reading digits takes time that grows with the square of their number: with a
 * million, 0.1 s for one value; with this many in each of its BigInts, a value of 1 MiB takes 20 ms.
 */
export const bigintDigits = 10_000;

/** A whole number from `least` to `most`, or the default where the option is absent. */
export function wholeNumber(
  name: string,
  given: number | undefined,
  byDefault: number,
  least: number,
  most: number,
): number {
  const value = given ?? byDefault;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${most}`, value);
}

/** The refusal of a value that is too large, the same in both directions. */
export function tooLarge(what: string, { maxValueBytes }: Limits): ValueTooLargeError {
  return new ValueTooLargeError(what, `${maxValueBytes} bytes`);
}

/** The refusal of a value that is nested too deeply, the same in both directions. */
export function tooDeep(what: string, { maxDepth }: Limits): ValueTooLargeError {
  return new ValueTooLargeError(what, `a depth of ${maxDepth}`, {
    advice: 'Store a flatter value; a value that contains itself has no end.',
  });
}
