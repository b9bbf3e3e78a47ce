import { describe, expect, it } from 'vitest';
import { timestampTag } from '../../src/hls/timestamp-tag.js';

describe('the timestamp of a segment', () => {
  it('is an ID3v2.4 PRIV frame, byte for byte as RFC 8216 (3.4) wants it', () => {
    const tag = timestampTag(10);
    expect(tag.subarray(0, 10)).toEqual(Buffer.from('ID3\x04\0\0\0\0\0\x3f', 'latin1'));
    expect(tag.subarray(10, 20)).toEqual(Buffer.from('PRIV\0\0\0\x35\0\0', 'latin1'));
    expect(tag.toString('latin1', 20, 65)).toBe('com.apple.streaming.transportStreamTimestamp\0');
    expect(tag.readBigUInt64BE(65)).toBe(900_000n);
    expect(tag).toHaveLength(73);
  });

  it('has 33 bits, and begins again after a day', () => {
    const range = 2 ** 33 / 90_000;
    expect(timestampTag(range - 1 / 90_000).readBigUInt64BE(65)).toBe(2n ** 33n - 1n);
    expect(timestampTag(range + 1).readBigUInt64BE(65)).toBe(90_000n);
  });
});
