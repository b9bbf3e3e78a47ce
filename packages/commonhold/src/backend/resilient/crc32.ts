const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xed_b8_83_20 : 0);
  return remainder;
});

/**
 * CRC-32 as zlib computes it, 0 to 2^32-1. `before` is that of the bytes in front: `crc32(b, crc32(a))` is that of both.
 * Ours, since Node has one only from 22 on.
 */
export function crc32(bytes: Uint8Array, before: number = 0): number {
  let remainder = ~before;
  for (let at = 0; at < bytes.length; at++) {
    remainder = (remainder >>> 8) ^ (table[(remainder ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~remainder >>> 0;
}
