import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codec.js';
import { thrownBy } from './thrown.js';

const codec = createCodec({ compress: false });
const roomy = createCodec({ compress: false, maxValueBytes: 2 ** 25 });

const shapes: [string, string, string][] = [
  ['arrays', '[', ']'],
  ['objects', '{"a":', '}'],
  ['arrays after a member', '[{"a":0},', ']'],
  ['objects after a string that closes brackets', '{"]}]}\\"]}\\\\":', '}'],
];

describe('depth of stored text', () => {
  it.each(shapes)('%s: 64 are taken, 65 are not', (_, open, close) => {
    const text = (levels: number): string => `${open.repeat(levels - 1)}[]${close.repeat(levels - 1)}`;
    expect(() => codec.decode(text(64), 'test')).not.toThrow();
    expect(thrownBy(() => codec.decode(text(65), 'map m, key x'))).toMatchObject({
      code: 'ValueTooLarge',
      message: 'map m, key x exceeds a depth of 64',
    });
  });

  it.each(shapes)('%s, a million deep, are refused quickly', (_, open, close) => {
    for (const text of [open.repeat(1e6) + '1' + close.repeat(1e6), open.repeat(1e6)]) {
      for (const form of ['', '\u0002']) {
        const stored = Buffer.from(form + text);
        const startedAtMs = performance.now();
        expect(thrownBy(() => roomy.decode(stored, 'test')).code).toBe('ValueTooLarge');
        expect(performance.now() - startedAtMs).toBeLessThan(500);
      }
    }
  });

  it.each(shapes)('%s just below the length that is scanned are refused as well', (_, open, close) => {
    const levels = Math.floor(60_000 / (open.length + close.length));
    const text = `${open.repeat(levels)}1${close.repeat(levels)}`;
    expect(thrownBy(() => codec.decode(text, 'test')).code).toBe('ValueTooLarge');
  });

  it('is not confused by brackets, quotes and backslashes inside of strings', () => {
    const value = {
      '[[[{{{"\\': '[{'.repeat(100) + '\\"[\\\\',
      list: Array.from({ length: 3000 }, () => ({ 'a"[': '\\', b: [['x[']] })),
    };
    const stored = Buffer.from(codec.encode(value, 'test'));
    expect(stored.length).toBeGreaterThan(65_536);
    expect(codec.decode(stored, 'test')).toStrictEqual(value);
  });

  it('reports long text that is no JSON as such', () => {
    for (const text of ['"' + '['.repeat(1e5), ']'.repeat(1e5), '"\\'.repeat(5e4), 'x'.repeat(1e5)]) {
      expect(thrownBy(() => codec.decode(text, 'test')).code).toBe('CorruptState');
    }
  });
});

describe('an own property __proto__ in stored text', () => {
  it.each([
    '{"__proto__":{"isAdmin":true}}',
    '{"a":1,"__proto__":null}',
    '[[{"a":{"b":[{"__proto__":[]}]}}]]',
    '{"\\u005f_proto__":1}',
    '{"__pr\\u006fto__":1}',
    '{"\\u005F\\u005F\\u0070\\u0072\\u006F\\u0074\\u006F\\u005F\\u005F":1}',
  ])('%s is refused, and nothing is polluted', (text) => {
    const error = thrownBy(() => codec.decode(Buffer.from(text), 'map m, key x'));
    expect(error).toMatchObject({
      code: 'CorruptState',
      message: 'map m, key x holds something else: it has a property named __proto__',
    });
    expect(Reflect.get({}, 'isAdmin')).toBe(undefined);
  });

  it('as a value, or as part of a name, it is harmless', () => {
    const value = { a: '__proto__', my__proto__: 1, ['__proto']: 2, constructor: { prototype: 3 } };
    const back = codec.decode(codec.encode(value, 'test'), 'test');
    expect(isDeepStrictEqual(back, value)).toBe(true);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });
});
