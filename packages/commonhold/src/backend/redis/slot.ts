import { hashTag } from '../../keys.js';

/** How many slots a cluster divides its keys into. */
export const slotCount: number = 16_384;

/** The slot of `key`, 0 to 16383: keys with one hash tag share it. */
export function slotOf(key: string): number {
  const tag = hashTag(key);
  let crc = 0;
  for (let index = 0; index < tag.length; index++) {
    const code = tag.charCodeAt(index);
    if (code > 0x7f) return slotOfBytes(Buffer.from(tag));
    crc = step(crc, code);
  }
  return crc % slotCount;
}

function slotOfBytes(bytes: Uint8Array): number {
  return bytes.reduce(step, 0) % slotCount;
}

function step(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] as number);
}

// CRC-16/XMODEM, as the cluster specification gives it.
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  return crc;
});
