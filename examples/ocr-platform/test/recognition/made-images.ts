import { crc32, deflateSync } from 'node:zlib';

/** A PNG file, one bit a pixel and all of it zero, which packs to a thousandth of its size. */
export function blankPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(1, 8);
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height), { level: 1 });
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', rows),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(name: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(body.length, 0);
  frame.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)]);
}

const IMAGE_WIDTH = 256;
const IMAGE_HEIGHT = 257;

/** A little-endian TIFF file of `pages` grey pages that all claim this size, and all share one byte of pixels. */
export function claimingTiff(pages: number, width: number, height: number): Buffer {
  const pixels = 8 + pages * DIRECTORY_BYTES;
  const file = Buffer.alloc(pixels + 1);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  for (let page = 0; page < pages; page++)
    writeDirectory(file, page, { width, height, pixels, last: page === pages - 1 });
  return file;
}

const ENTRIES = 8;
const DIRECTORY_BYTES = 2 + ENTRIES * 12 + 4;

function writeDirectory(
  file: Buffer,
  page: number,
  { width, height, pixels, last }: { width: number; height: number; pixels: number; last: boolean },
): void {
  const start = 8 + page * DIRECTORY_BYTES;
  file.writeUInt16LE(ENTRIES, start);
  const entries: readonly [tag: number, value: number][] = [
    [IMAGE_WIDTH, width],
    [IMAGE_HEIGHT, height],
    [258, 8], // bits per sample
    [259, 1], // no compression
    [262, 1], // zero is black
    [273, pixels], // where the strip begins
    [278, height], // rows per strip
    [279, 1], // bytes in the strip
  ];
  for (const [index, [tag, value]] of entries.entries()) {
    const entry = start + 2 + index * 12;
    file.writeUInt16LE(tag, entry);
    file.writeUInt16LE(4, entry + 2);
    file.writeUInt32LE(1, entry + 4);
    file.writeUInt32LE(value, entry + 8);
  }
  file.writeUInt32LE(last ? 0 : start + DIRECTORY_BYTES, start + DIRECTORY_BYTES - 4);
}
