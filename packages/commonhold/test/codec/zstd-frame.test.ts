import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { declaredSize } from '../../src/codec/zstd-frame.js';

const magic = '28b52ffd';

function frame(header: string): Buffer {
  return Buffer.from(magic + header + '0000', 'hex');
}

describe('declaredSize', () => {
  it.each<[string, string, number | undefined]>([
    ['one byte', '20ff', 255],
    ['two bytes, from 256 on', '600000', 256],
    ['two bytes', '60b704', 0x04b7 + 256],
    ['four bytes', 'a000000010', 2 ** 28],
    ['eight bytes', 'e00000000000010000', 2 ** 40],
    ['the largest', 'e0ffffffffffffffff', 2 ** 64],
    ['a window before', '805801000000', 1],
    ['a dictionary before', '21aa07', 7],
    ['a dictionary of four bytes', '23aaaaaaaa07', 7],
    ['a window and a dictionary', '4258aaaa0100', 257],
    ['a checksum flag', '2407', 7],
    ['none, with a window', '0058', undefined],
    ['none, with window and checksum', '0458', undefined],
  ])('%s', (_, header, size) => {
    expect(declaredSize(frame(header))).toBe(size);
  });

  it.each([
    ['nothing', ''],
    ['less than a magic number', '28b52f'],
    ['another magic number', '28b52ffe2007000000'],
    ['a skippable frame', '502a4d1801000000'],
    ['a gzip member', '1f8b0800000000000003'],
    ['a torn header', '28b52ffde00000'],
    ['a torn dictionary', '28b52ffd2300'],
  ])('%s is no frame that declares its size', (_, hex) => {
    expect(declaredSize(Buffer.from(hex, 'hex'))).toBe(undefined);
  });

  it('answers for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        for (const candidate of [Buffer.from(bytes), Buffer.concat([Buffer.from(magic, 'hex'), bytes])]) {
          const size = declaredSize(candidate);
          expect(size === undefined || size >= 0).toBe(true);
        }
      }),
    );
  });
});
