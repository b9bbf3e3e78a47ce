import { createContext, runInContext } from 'node:vm';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codec.js';
import type { Stored } from '../../src/codec/stored.js';
import { loadZstd } from '../../src/codec/zstd.js';
import { jsonValue, storableValue } from './arbitrary-value.js';
import { storedBytes } from './stored-bytes.js';
import { thrownBy } from './thrown.js';

const codec = createCodec();
const uncompressed = createCodec({ compress: false });

function roundTrip(value: unknown): unknown {
  return codec.decode(storedBytes(codec.encode(value, 'test')), 'test');
}

beforeAll(async () => {
  await loadZstd();
});

describe('round trip', () => {
  it('S0.11, S1.7: gives back every storable value, from bytes and as stored', () => {
    fc.assert(
      fc.property(storableValue, fc.boolean(), (value, compress) => {
        const stored = (compress ? codec : uncompressed).encode(value, 'test');
        expect(isDeepStrictEqual(codec.decode(stored, 'test'), value)).toBe(true);
        expect(isDeepStrictEqual(codec.decode(storedBytes(stored), 'test'), value)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('S1.6, S2.15: writes what JSON holds exactly as JSON.stringify does', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(uncompressed.encode(value, 'test')).toBe(JSON.stringify(value));
        expect(isDeepStrictEqual(roundTrip(value), value)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps the order of Sets, Maps and properties', () => {
    const set = new Set([3, 1, 2]);
    const map = new Map([
      ['b', 1],
      ['a', 2],
    ]);
    expect(inspect(roundTrip({ z: set, a: map }))).toBe("{ z: Set(3) { 3, 1, 2 }, a: Map(2) { 'b' => 1, 'a' => 2 } }");
  });

  it('S1.7: distinguishes 0 and -0 and keeps every bit of an embedding', () => {
    expect(roundTrip([0, -0])).toStrictEqual([0, -0]);
    const embedding = Float32Array.from({ length: 768 }, (_, index) => Math.sin(index));
    const stored = uncompressed.encode({ id: 7, embedding }, 'test');
    expect(codec.decode(stored, 'test')).toStrictEqual({ id: 7, embedding });
    expect(stored.length).toBeLessThan(768 * 4 + 64);
  });

  it('gives typed arrays that share no memory with what was stored', () => {
    const stored = storedBytes(uncompressed.encode({ a: new Uint16Array([1, 2]), b: Buffer.from('ab') }, 'test'));
    const back = codec.decode(stored, 'test');
    stored.fill(0);
    expect(back).toStrictEqual({ a: new Uint16Array([1, 2]), b: Buffer.from('ab') });
    const bytes = storedBytes(uncompressed.encode(Buffer.from('ab'), 'test'));
    const bytesBack = codec.decode(bytes, 'test');
    bytes.fill(0);
    expect(bytesBack).toStrictEqual(Buffer.from('ab'));
  });

  it('keeps nothing of the bytes it was given', () => {
    const given = Buffer.from('before');
    const stored = codec.encode(given, 'test');
    given.write('after ');
    expect(codec.decode(stored, 'test')).toStrictEqual(Buffer.from('before'));
  });

  it('writes only the view of a typed array, not the memory behind it', () => {
    const view = new Uint16Array(Uint16Array.from([1, 2, 3, 4]).buffer, 2, 2);
    expect(roundTrip([view])).toStrictEqual([Uint16Array.of(2, 3)]);
  });
});

describe('what comes back otherwise', () => {
  class Playlist extends Array<string> {}
  class Ratings extends Map<number, number> {}

  it.each<[string, unknown, unknown]>([
    ['undefined members are absent', { a: undefined, b: 1 }, { b: 1 }],
    ['also beside a tag', { a: undefined, b: 1n }, { b: 1n }],
    ['and then do not make a tag of the other', [{ $date: 5, b: undefined }, 1n], [{ $date: 5 }, 1n]],
    ['holes are undefined', [1, , 3], [1, undefined, 3]], // oxlint-disable-line no-sparse-arrays -- the case itself
    ['a Uint8Array is a Buffer', Uint8Array.of(1, 2), Buffer.of(1, 2)],
    ['also inside', [Uint8Array.of(1, 2)], [Buffer.of(1, 2)]],
    ['an object without prototype has one', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['an array of a subclass is an array', Playlist.of('a'), ['a']],
    ['a Map of a subclass is a Map', new Ratings([[1, 2]]), new Map([[1, 2]])],
    ['symbol keys are absent', { [Symbol('a')]: 1, b: 2 }, { b: 2 }],
  ])('%s', (_, given, expected) => {
    expect(roundTrip(given)).toStrictEqual(expected);
  });

  it('takes plain objects, arrays and tagged kinds of another realm, as test runners make them', () => {
    const realm = createContext({});
    expect(roundTrip(runInContext('({ a: [1, { b: null }] })', realm))).toStrictEqual({ a: [1, { b: null }] });
    expect(uncompressed.encode(runInContext('({ $set: 1 })', realm), 'test')).toBe('{"$set":1}');
    const tagged = runInContext('({ d: new Date(5), m: new Map([[1, new Set([2])]]), f: Float32Array.of(1) })', realm);
    const expected = { d: new Date(5), m: new Map([[1, new Set([2])]]), f: Float32Array.of(1) };
    expect(roundTrip(tagged)).toStrictEqual(expected);
    expect(roundTrip(runInContext('Uint8Array.of(7)', realm))).toStrictEqual(Buffer.of(7));
  });

  it('reads the own members of objects only, whatever stands on Object.prototype', () => {
    Reflect.set(Object.prototype, 'inherited', () => 1);
    let [plain, tagged, decoded]: unknown[] = [];
    try {
      plain = uncompressed.encode({ a: 1 }, 'test');
      tagged = uncompressed.encode({ a: 1n }, 'test');
      decoded = codec.decode('\u0002{"a":{"$bigint":"1"}}', 'test');
    } finally {
      Reflect.deleteProperty(Object.prototype, 'inherited');
    }
    expect(plain).toBe('{"a":1}');
    expect(tagged).toBe('\u0002{"a":{"$bigint":"1"}}');
    expect(decoded).toStrictEqual({ a: 1n });
  });
});

describe('the wire format', () => {
  const nan = Number.NaN;

  it.each<[string, unknown, string | Buffer]>([
    ['null', null, 'null'],
    ['a string', 'né', '"né"'],
    ['a number', 1.5, '1.5'],
    ['an object', { b: [true, null], a: {} }, '{"b":[true,null],"a":{}}'],
    ['an object that looks like a tag, without tags around', { $date: 5 }, '{"$date":5}'],
    ['a lone surrogate', '\ud800', '"\\ud800"'],
    ['bytes', Buffer.from([0, 255, 10]), Buffer.from([1, 0, 255, 10])],
    ['no bytes', Buffer.alloc(0), Buffer.from([1])],
    ['undefined', undefined, '\u0002{"$undefined":true}'],
    [
      'numbers',
      [nan, Infinity, -Infinity, -0],
      '\u0002[{"$number":"NaN"},{"$number":"Infinity"},{"$number":"-Infinity"},{"$number":"-0"}]',
    ],
    ['a BigInt', [-12n, 0n], '\u0002[{"$bigint":"-12"},{"$bigint":"0"}]'],
    ['dates', [new Date(1700000000000), new Date(nan)], '\u0002[{"$date":1700000000000},{"$date":null}]'],
    ['a Set', new Set([1, undefined]), '\u0002{"$set":[1,{"$undefined":true}]}'],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['k', 1],
        [[2], new Set()],
      ]),
      '\u0002{"$map":["k",1,[2],{"$set":[]}]}',
    ],
    [
      'the escape',
      [{ $date: 5 }, { $$date: 5 }, { $: 1 }, 1n],
      '\u0002[{"$$date":5},{"$$$date":5},{"$$":1},{"$bigint":"1"}]',
    ],
    ['no escape for two members', [{ $date: 5, b: 1 }, 1n], '\u0002[{"$date":5,"b":1},{"$bigint":"1"}]'],
    ['no typed array content', { a: new Float32Array(0) }, '\u0002{"a":{"$float32":[0,0]}}'],
    [
      'typed arrays',
      { a: Buffer.from('xyz'), b: Int16Array.of(1, -2), c: Float64Array.of(-0), d: BigUint64Array.of(2n ** 63n) },
      Buffer.concat([
        Buffer.from(
          '\u0002{"a":{"$bytes":[0,3]},"b":{"$int16":[3,4]},"c":{"$float64":[7,8]},"d":{"$biguint64":[15,8]}}\0',
        ),
        Buffer.from('78797a0100feff00000000000000800000000000000080', 'hex'),
      ]),
    ],
  ])('%s', (_, value, stored) => {
    expect(uncompressed.encode(value, 'test')).toStrictEqual(stored);
    expect(codec.decode(storedBytes(stored), 'test')).toStrictEqual(value);
  });

  it('names every kind of typed array', () => {
    const kinds = {
      int8: Int8Array,
      uint8clamped: Uint8ClampedArray,
      int16: Int16Array,
      uint16: Uint16Array,
      int32: Int32Array,
      uint32: Uint32Array,
      float32: Float32Array,
      float64: Float64Array,
      bigint64: BigInt64Array,
      biguint64: BigUint64Array,
    };
    for (const [name, kind] of Object.entries(kinds)) {
      expect(uncompressed.encode([new kind(0)], 'test')).toBe(`\u0002[{"$${name}":[0,0]}]`);
    }
  });

  it('reads tagged text that another language wrote with its bytes in another order', () => {
    const stored = Buffer.from('\u0002{"b":{"$bytes":[2,1]},"a":{"$int16":[0,2]}}\0\u0001\u0000x');
    expect(codec.decode(stored, 'test')).toStrictEqual({ b: Buffer.from('x'), a: Int16Array.of(1) });
  });

  it('begins plain text with a character of JSON, never with a form byte', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(storedBytes(uncompressed.encode(value, 'test'))[0]).toBeGreaterThanOrEqual(0x20);
      }),
    );
  });
});

describe('forms that are not for this version', () => {
  it.each([0x00, 0x05, 0x06, 0x09, 0x0a, 0x1f])('%i is UnknownForm', (form) => {
    const stored = Buffer.of(form, 1, 2, 3);
    expect(thrownBy(() => codec.decode(stored, 'map m, key x'))).toMatchObject({
      code: 'UnknownForm',
      message: 'map m, key x was written in a form this version does not know',
    });
    expect(stored).toStrictEqual(Buffer.of(form, 1, 2, 3));
  });

  it('sealed says that no key is configured', () => {
    const error = thrownBy(() => codec.decode(Buffer.of(0x04, 1), 'map m, key x'));
    expect(error).toMatchObject({ code: 'UnknownForm' });
    expect(error.message).toContain('map m, key x, sealed while no key is configured');
  });

  it('a tag of a newer version is UnknownForm', () => {
    expect(thrownBy(() => codec.decode('\u0002[{"$float16":[0,0]}]', 'test')).code).toBe('UnknownForm');
  });
});

describe('what no codec writes', () => {
  it.each<[string, Stored]>([
    ['nothing', Buffer.alloc(0)],
    ['an empty string', ''],
    ['text that is not JSON', 'OK'],
    ['a torn value', '{"a":'],
    ['two values', '1 2'],
    ['a byte order mark', '\ufeff1'],
    ['text that is not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
    ['tagged text that is not UTF-8', Buffer.from([0x02, 0x22, 0xc3, 0x28, 0x22])],
    ['tagged text that is empty', Buffer.of(2)],
    ['a zero in a tagged string', '\u0002"a"\0'],
  ])('%s is CorruptState', (_, stored) => {
    const error = thrownBy(() => codec.decode(stored, 'map m, key x'));
    expect(error.code).toBe('CorruptState');
    expect(error.message).toMatch(/^map m, key x holds something else: /);
  });

  it('takes U+FFFD that was meant', () => {
    expect(codec.decode(Buffer.from('"\ufffd"'), 'test')).toBe('\ufffd');
  });
});

describe('limits', () => {
  const small = createCodec({ maxValueBytes: 100, compress: false });

  it.each<[string, unknown, unknown]>([
    ['text', 'x'.repeat(98), 'x'.repeat(99)],
    ['text of two bytes a character', 'é'.repeat(49), 'é'.repeat(49) + 'x'],
    ['bytes', Buffer.alloc(99), Buffer.alloc(100)],
    ['tagged text', [1n, 'x'.repeat(79)], [1n, 'x'.repeat(80)]],
    ['typed arrays', [Buffer.alloc(79)], [Buffer.alloc(80)]],
    ['numbers', Array<number>(49).fill(1), Array<number>(50).fill(1)],
  ])('%s: 100 bytes fit, 101 do not, either way', (_, fits, exceeds) => {
    const stored = small.encode(fits, 'test');
    expect(Buffer.byteLength(stored)).toBeGreaterThan(98);
    expect(small.decode(stored, 'test')).toStrictEqual(fits);
    expect(thrownBy(() => small.encode(exceeds, 'map m, key x'))).toMatchObject({
      code: 'ValueTooLarge',
      message: 'map m, key x exceeds 100 bytes',
    });
    const large = storedBytes(uncompressed.encode(exceeds, 'test'));
    expect(thrownBy(() => small.decode(large, 'test')).code).toBe('ValueTooLarge');
  });

  it('is 1 MiB unless said otherwise', () => {
    expect(roundTrip('x'.repeat(2 ** 20 - 2))).toHaveLength(2 ** 20 - 2);
    expect(thrownBy(() => codec.encode('x'.repeat(2 ** 20 - 1), 'test')).message).toBe('test exceeds 1048576 bytes');
  });

  it('refuses 100 MB and shared structure of 2^60 nodes before writing them out', () => {
    let doubled: unknown = 'leaf';
    for (let level = 0; level < 60; level++) doubled = [doubled, doubled];
    const huge = [
      'x'.repeat(1e8),
      Buffer.alloc(1e8),
      [Buffer.alloc(1e8)],
      Array(1e8),
      doubled,
      { d: new Date(0), doubled },
    ];
    for (const value of huge) {
      const before = process.memoryUsage().arrayBuffers;
      const startedAtMs = performance.now();
      expect(thrownBy(() => codec.encode(value, 'test')).code).toBe('ValueTooLarge');
      expect(performance.now() - startedAtMs).toBeLessThan(1000);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5e7);
    }
  });

  it.each([
    { maxValueBytes: 0 },
    { maxValueBytes: 2 ** 30 },
    { maxValueBytes: 1.5 },
    { maxDepth: 0 },
    { maxDepth: 513 },
    { maxDepth: Number.NaN },
  ])('refuses the option %o', (options) => {
    const error = thrownBy(() => createCodec(options));
    expect(error.code).toBe('InvalidArgument');
    expect(error.message).toMatch(/^max(ValueBytes|Depth): expected a whole number from 1 to \d+, received /);
  });

  it('survives its greatest depth in both directions', () => {
    const deep = createCodec({ maxDepth: 512 });
    for (const leaf of [1, 1n]) {
      let value: unknown = leaf;
      for (let level = 0; level < 256; level++) value = new Map([[0, { level: value }]]);
      expect(deep.decode(deep.encode(value, 'test'), 'test')).toStrictEqual(value);
    }
  });
});

describe('errors', () => {
  const secret = 'hunter2';
  const secretText = JSON.stringify({ password: secret });
  const small = createCodec({ maxValueBytes: 40 });

  it.each<[string, () => unknown]>([
    ['a function beside a secret', () => codec.encode({ secret, save() {} }, 'test')],
    [
      'an instance that holds a secret',
      () =>
        codec.encode(
          new (class Account {
            password = secret;
          })(),
          'test',
        ),
    ],
    ['a symbol', () => codec.encode(Symbol(secret), 'test')],
    ['a prototype', () => codec.encode(JSON.parse(`{"__proto__":${secretText}}`), 'test')],
    ['a size', () => small.encode(secret.repeat(9), 'test')],
    ['torn text', () => codec.decode(secretText.slice(0, -1), 'test')],
    ['text with a wrong character', () => codec.decode(Buffer.from(`${secretText}!`), 'test')],
    ['a wrong date', () => codec.decode(`\u0002{"$date":${JSON.stringify(secret)}}`, 'test')],
    ['an unknown tag', () => codec.decode(`\u0002{"$${secret}":1}`, 'test')],
    ['a stored prototype', () => codec.decode(`{"__proto__":${secretText}}`, 'test')],
  ])('do not show content: %s', (_, action) => {
    const error = thrownBy(action);
    expect(`${error.message} ${error.advice} ${String(error.cause)}`).not.toContain(secret);
    expect(error.message).toContain('test');
  });
});
