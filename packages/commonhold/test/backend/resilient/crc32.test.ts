import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../src/backend/resilient/crc32.js';

describe('crc32', () => {
  it('is what zlib computes', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcb_f4_39_26);
    expect(crc32(Buffer.alloc(0))).toBe(0);
    expect(crc32(Buffer.alloc(32, 0xff))).toBe(0xff_6c_ab_0b);
  });

  it('goes on where it ended before', () => {
    const text = Buffer.from('state for every worker');
    for (let cut = 0; cut <= text.length; cut++) {
      expect(crc32(text.subarray(cut), crc32(text.subarray(0, cut)))).toBe(crc32(text));
    }
  });
});
