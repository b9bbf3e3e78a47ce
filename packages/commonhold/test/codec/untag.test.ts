import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codec.js';
import { thrownBy } from './thrown.js';

const codec = createCodec();

function decode(text: string, bytes = ''): unknown {
  return codec.decode(Buffer.from(`\u0002${text}${bytes === '' ? '' : `\0${bytes}`}`), 'map m, key x');
}

describe('malformed tags', () => {
  it.each([
    ['$undefined', 'null'],
    ['$undefined', 'false'],
    ['$undefined', '{"$undefined":true}'],
    ['$number', '"1"'],
    ['$number', '1'],
    ['$number', '"+Infinity"'],
    ['$number', '{}'],
    ['$bigint', '12'],
    ['$bigint', '""'],
    ['$bigint', '"0x1f"'],
    ['$bigint', '"-0"'],
    ['$bigint', '"007"'],
    ['$bigint', '" 1"'],
    ['$bigint', '"1\\n"'],
    ['$bigint', '"1e3"'],
    ['$bigint', `"${'9'.repeat(10_001)}"`],
    ['$bigint', `"1${'9'.repeat(10_001)}"`],
    ['$date', '"2024-01-01"'],
    ['$date', '1.5'],
    ['$date', '8640000000000001'],
    ['$date', '1e999'],
    ['$date', 'true'],
    ['$set', '{}'],
    ['$set', '"abc"'],
    ['$set', 'null'],
    ['$map', '[1]'],
    ['$map', '[1,2,3]'],
    ['$map', '{"a":1}'],
    ['$bytes', '[0]'],
    ['$bytes', '[0,0,0]'],
    ['$bytes', '"AAAA"'],
    ['$bytes', '[0,1]'],
    ['$bytes', '[-1,0]'],
    ['$bytes', '[0,-1]'],
    ['$bytes', '[0.5,0]'],
    ['$bytes', '[0,1e300]'],
    ['$bytes', '[9007199254740991,0]'],
    ['$bytes', '["0","0"]'],
    ['$float32', '[0,{}]'],
  ])('%s of %s', (tag, content) => {
    const error = thrownBy(() => decode(`[{"${tag}":${content}}]`));
    expect(error.code).toBe('CorruptState');
    expect(error.message).toBe(`map m, key x holds something else: its ${tag} is malformed`);
  });

  it('takes the outermost dates and no others', () => {
    expect(decode('{"$date":8640000000000000}')).toStrictEqual(new Date(8.64e15));
    expect(decode('{"$date":-8640000000000000}')).toStrictEqual(new Date(-8.64e15));
  });

  it.each(['$', '$unknown', '$Set', '$object', '$constructor', '$__proto__', '$uint8', '$float16'])(
    '%s is a form of a newer version',
    (tag) => {
      expect(thrownBy(() => decode(`{"a":{"${tag}":[0,0]}}`)).code).toBe('UnknownForm');
    },
  );

  it('are plain objects where they have a second member', () => {
    expect(decode('[{"$date":"x","b":1},{"$unknown":1,"$date":2}]')).toStrictEqual([
      { $date: 'x', b: 1 },
      { $unknown: 1, $date: 2 },
    ]);
  });
});

describe('content of typed arrays', () => {
  it('must be a whole number of elements', () => {
    expect(decode('{"$int16":[0,4]}', 'abcd')).toStrictEqual(Int16Array.of(0x6261, 0x6463));
    expect(thrownBy(() => decode('{"$int16":[0,3]}', 'abc')).message).toContain('its $int16 is malformed');
    expect(thrownBy(() => decode('{"$biguint64":[0,4]}', 'abcd')).code).toBe('CorruptState');
  });

  it('may lie at any offset, aligned or not', () => {
    const stored = decode('[{"$bytes":[0,1]},{"$float64":[1,8]}]', 'x\0\0\0\0\0\0\0\0');
    expect(stored).toStrictEqual([Buffer.from('x'), Float64Array.of(0)]);
  });

  it('must be used up', () => {
    expect(thrownBy(() => decode('1', 'x')).message).toContain('its part after the text is malformed');
    expect(thrownBy(() => decode('{"$bytes":[0,1]}', 'xy')).code).toBe('CorruptState');
  });

  it('cannot be used twice: a small value must not become a large one', () => {
    expect(thrownBy(() => decode('[{"$bytes":[0,2]},{"$bytes":[1,1]}]', 'xy')).code).toBe('CorruptState');
    const tags = Array<string>(20_000).fill('{"$bytes":[0,500000]}').join(',');
    const before = process.memoryUsage().arrayBuffers;
    expect(thrownBy(() => decode(`[${tags}]`, 'x'.repeat(500_000))).code).toBe('CorruptState');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8e6);
  });
});

describe('depth and prototypes in tagged text', () => {
  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['escaped objects', '{"$$a":', '}'],
    ['Sets', '{"$set":[', ']}'],
    ['Maps', '{"$map":[1,', ']}'],
  ])('%s: 64 are taken, 65 are not', (_, open, close) => {
    const text = (levels: number): string => `${open.repeat(levels)}{"$date":0}${close.repeat(levels)}`;
    expect(() => decode(text(64))).not.toThrow();
    expect(thrownBy(() => decode(text(65)))).toMatchObject({
      code: 'ValueTooLarge',
      message: 'map m, key x exceeds a depth of 64',
    });
  });

  it.each([
    '{"__proto__":{"a":1}}',
    '[{"b":1,"__proto__":{"$date":0}}]',
    '{"$set":[{"__proto__":1}]}',
    '{"$map":[{"__proto__":1},2]}',
    '{"$$x":{"\\u005f_proto__":1}}',
  ])('refuses %s', (text) => {
    const error = thrownBy(() => decode(text));
    expect(error.code).toBe('CorruptState');
    expect(error.message).toContain('it has a property named __proto__');
  });
});
