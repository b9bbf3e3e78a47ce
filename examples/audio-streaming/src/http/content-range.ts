import { problem } from '@commonhold/server';
import type { ByteRange } from '../files/byte-ranges.js';

/** A chunk is kept whole on its way to the disk no longer than this. */
const mostChunkBytes: number = 16 * 2 ** 20;

const expected = 'Send it as "Content-Range: bytes <first>-<last>/<size>", counted from 0, both included.';

/**
 * Reads the `Content-Range` of a chunk of a file of `size` bytes (RFC 9110, 14.4).
 *
 * @throws Problem 400 for one that is missing or malformed; 416 beyond the file's end; 422 for another size; 413 for a chunk
 *   larger than 16 MiB.
 */
export function readContentRange(header: string | undefined, size: number): ByteRange {
  if (header === undefined) throw problem(400, `The chunk has no Content-Range. ${expected}`);
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(header.trim());
  if (match === null) throw problem(400, `The Content-Range cannot be read. ${expected}`);
  const [first, last, total] = [Number(match[1]), Number(match[2]), match[3]];
  if (first > last) throw problem(400, `The Content-Range ends before it begins. ${expected}`);
  if (total !== '*' && Number(total) !== size) {
    throw problem(422, `The upload was announced with ${size} bytes; the Content-Range says ${total}.`);
  }
  if (last >= size) {
    const headers = { 'Content-Range': `bytes */${size}` };
    throw problem(416, `The upload has ${size} bytes; the last one is ${size - 1}.`, { headers });
  }
  if (last - first >= mostChunkBytes) throw problem(413, 'A chunk has at most 16 MiB. Send smaller ones.');
  return [first, last];
}
