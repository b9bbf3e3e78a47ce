import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { CommonholdError } from '../../src/errors.js';
import { createCodec } from '../../src/codec/codec.js';
import { loadZstd } from '../../src/codec/zstd.js';

const codec = createCodec();
const secret = 'correct horse battery staple';

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const fragments = [
  '__proto__',
  '"__proto__":',
  '{"$set":[',
  '{"$map":[',
  '{"$bytes":[0,1]}',
  '{"$$a":',
  '"$date":',
  '\\u005f',
  '[[[[',
  ']]]]',
  '\0',
  '\u0002',
  '\u0003',
  '1e999',
  '-0',
  '"\\ud800"',
  'constructor',
  'prototype',
].map((text) => Buffer.from(text));

function mutated(source: Buffer, random: () => number): Buffer {
  const below = (bound: number): number => Math.floor(random() * bound);
  const at = below(source.length + 1);
  const until = at + below(source.length - at + 1);
  switch (below(6)) {
    case 0:
      return source.subarray(0, at);
    case 1:
      return Buffer.concat([source.subarray(0, at), source.subarray(until)]);
    case 2:
      return Buffer.concat([source.subarray(0, until), source.subarray(at)]);
    case 3:
      return Buffer.concat([source.subarray(0, at), fragments[below(fragments.length)] ?? source, source.subarray(at)]);
    case 4:
      return Buffer.concat([source.subarray(0, at), Buffer.from(Array.from({ length: below(9) }, () => below(256)))]);
    default: {
      const flipped = Buffer.from(source);
      if (at < source.length) flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << below(8)), at);
      return flipped;
    }
  }
}

/** Fails where `value` or anything in it has a prototype that decoding does not give. */
function expectOwnPrototypes(value: unknown, allowed: ReadonlySet<unknown>): void {
  if (typeof value !== 'object' || value === null) return;
  if (!allowed.has(Object.getPrototypeOf(value))) throw new Error(`a strange prototype in ${inspect(value)}`);
  if (Object.hasOwn(value, '__proto__')) throw new Error('an own property __proto__');
  const inside = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  if (!ArrayBuffer.isView(value)) for (const part of inside) expectOwnPrototypes(part, allowed);
}

describe('bytes from anyone', () => {
  const kinds = [
    Object,
    Array,
    Map,
    Set,
    Date,
    Buffer,
    Int8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  const allowed = new Set<unknown>(kinds.map((kind): unknown => kind.prototype));
  const objectPrototypeBefore = Object.getOwnPropertyNames(Object.prototype);
  let corpus: Buffer[] = [];

  beforeAll(async () => {
    await loadZstd();
    const values = [
      { user: secret, tags: ['a', 'b'], nested: { deep: [1, 2, { three: null }] }, price: 1.5 },
      [secret, true, false, null, -1e-7],
      { at: new Date(0), big: 12n, not: Number.NaN, list: [undefined, -0], $date: 1 },
      new Map<unknown, unknown>([[secret, new Set([1n, { $set: 1 }])]]),
      { a: Float32Array.of(1, 2), b: Buffer.from(secret), c: BigInt64Array.of(3n) },
      Buffer.from(secret),
      Array.from({ length: 60 }, (_, id) => ({ id, secret, even: id % 2 === 0 })),
      { rows: Array.from({ length: 200 }, (_, id) => new Date(id)), secret },
    ];
    corpus = values.map((value) => Buffer.from(codec.encode(value, 'test')));
    expect(new Set(corpus.map((stored) => Math.min(stored[0] ?? 0, 0x20)))).toEqual(new Set([1, 2, 3, 0x20]));
  });

  it.each([1, 2, 3, 4])(
    'give a value or an error of this library, 30,000 times with seed %i',
    (seed) => {
      const random = seededRandom(seed);
      const outcomes = new Map<string, number>();
      for (let run = 0; run < 30_000; run++) {
        let stored = corpus[Math.floor(random() * corpus.length)] ?? Buffer.alloc(0);
        for (let times = random() * 3; times >= 0; times--) stored = mutated(stored, random);
        const before = Buffer.from(stored);
        const outcome = outcomeOf(stored);
        if (!before.equals(stored)) throw new Error(`changed ${before.toString('hex')}`);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      expect([...outcomes.keys()].toSorted()).toEqual(['CorruptState', 'UnknownForm', 'ValueTooLarge', 'value']);
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(objectPrototypeBefore);
    },
    60_000,
  );

  function outcomeOf(stored: Buffer): string {
    try {
      expectOwnPrototypes(codec.decode(stored, 'test'), allowed);
      return 'value';
    } catch (error) {
      if (!(error instanceof CommonholdError)) throw new Error(`of ${stored.toString('hex')}`, { cause: error });
      if (/horse|battery/.test(`${error.message}${error.advice}${String(error.cause)}`))
        throw new Error('content shown', { cause: error });
      return error.code;
    }
  }
});
