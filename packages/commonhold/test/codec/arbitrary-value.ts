import fc from 'fast-check';

/** Strings of any UTF-16 code units, lone surrogates and control characters among them. */
const anyString = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((codes) => String.fromCharCode(...codes)),
);

/** Property names, with a weight on those that look like tags. `__proto__` is refused and has tests of its own. */
const anyKey = fc
  .oneof(anyString, fc.constantFrom('$', '$$', '$set', '$$set', '$date', '$bytes', '$undefined', '$none', '0', 'a'))
  .filter((key) => key !== '__proto__');

/** Numbers that JSON text holds. */
const jsonNumber = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .filter((value) => !Object.is(value, -0));

const typedArray = fc.oneof(
  fc.uint8Array().map((array) => Buffer.from(array)),
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);

const jsonLeaf = fc.oneof(fc.constant(null), fc.boolean(), jsonNumber, anyString);

const taggedLeaf = fc.oneof(
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
  fc.bigInt(),
  // Without the invalid date, which isDeepStrictEqual does not find equal to itself; codec.test.ts has it.
  fc.date({ noInvalidDate: true }),
  typedArray,
);

function objectOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.dictionary(anyKey, value, { maxKeys: 4, noNullPrototype: true });
}

/** What JSON text holds as it is. */
export const jsonValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    jsonLeaf,
    fc.array(tie('value'), { maxLength: 4 }),
    objectOf(tie('value')),
  ),
})).value;

/** Everything that comes back as it was given, in any nesting. */
export const storableValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; element: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    jsonLeaf,
    taggedLeaf,
    fc.array(tie('element'), { maxLength: 4 }),
    objectOf(tie('value')),
    fc.array(tie('element'), { maxLength: 4 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie('element'), tie('element')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
  element: fc.oneof({ weight: 9, arbitrary: tie('value') }, { weight: 1, arbitrary: fc.constant(undefined) }),
})).value;
