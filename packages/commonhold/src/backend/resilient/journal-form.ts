import { UnknownFormError } from '../../errors.js';
import { crc32 } from './crc32.js';

/**
 * The form of a journal file, version 1. First a line of JSON that ends with a line feed: {@link JournalHeader}. Then
 * records, one behind the other: the file's mark, 4 bytes; the length of the rest, 4 bytes; a CRC-32 of header, length and
 * rest, 4 bytes; and the rest: a kind, 1 byte; when it was written, milliseconds since 1970, 8 bytes; how many entries it
 * holds, 4 bytes; and a body. Numbers are
 * little-endian. Mark and checksum depend on the file's own random id, so that no body can hold what looks like a record.
 */
const form = 1;
const prefix = '{"journal":"commonhold","form":';
const longestHeader = 1_024;
const frameBytes = 12;
const restBytes = 13;

/** A record that says of others, by their places in the file, that they are done with. */
export const forgetting = 0;

/** What a file says of itself. */
export interface JournalHeader {
  /** 16 hexadecimal digits, drawn anew for each file. */
  readonly id: string;
  readonly namespace: string;
}

/** How the records of one file are marked. */
export interface JournalMark {
  readonly mark: Buffer;
  readonly seed: number;
  /** How many bytes the header takes. */
  readonly start: number;
}

/** Where a record lies, and what is known of it without reading its body. */
export interface JournalPlace {
  readonly offset: number;
  /** With everything around its body. */
  readonly bytes: number;
  readonly kind: number;
  readonly atMs: number;
  readonly entries: number;
}

/** What was found in a file. */
export interface JournalContents {
  /** Those that are not done with, in order. */
  readonly places: readonly JournalPlace[];
  /** Bytes behind the last good record: it was being written when its process or machine died. */
  readonly tornBytes: number;
  /** Bytes between good records that are none. */
  readonly damagedBytes: number;
}

/** The first line of a file. */
export function writeHeader({ id, namespace }: JournalHeader): Buffer {
  return Buffer.from(`${prefix}${form},"id":"${id}","namespace":${JSON.stringify(namespace)}}\n`);
}

/**
 * What a file that begins with `bytes` says of itself; undefined when it is no journal, or nothing of it was written yet.
 * @throws UnknownFormError for one that a newer version wrote.
 */
export function readHeader(bytes: Buffer, what: string): JournalHeader | undefined {
  const end = bytes.subarray(0, longestHeader).indexOf('\n');
  const line = bytes.toString('utf8', 0, Math.max(0, end));
  if (!line.startsWith(prefix)) return undefined;
  const parsed = parse(line);
  if (parsed?.['form'] !== form) throw new UnknownFormError(what);
  const { id, namespace } = parsed;
  return typeof id === 'string' && typeof namespace === 'string' ? { id, namespace } : undefined;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** How records are marked in a file with that header. */
export function markOf(header: JournalHeader): JournalMark {
  const bytes = writeHeader(header);
  return { mark: Buffer.from(header.id.slice(0, 8), 'hex'), seed: crc32(bytes), start: bytes.length };
}

/** A record as it is written. */
export function writeRecord(
  { mark, seed }: JournalMark,
  { kind, atMs, entries }: Pick<JournalPlace, 'kind' | 'atMs' | 'entries'>,
  body: Uint8Array,
): Buffer {
  const record = Buffer.allocUnsafe(frameBytes + restBytes + body.length);
  record.set(mark);
  record.writeUInt32LE(restBytes + body.length, 4);
  record.writeUInt8(kind, frameBytes);
  record.writeDoubleLE(atMs, frameBytes + 1);
  record.writeUInt32LE(entries, frameBytes + 9);
  record.set(body, frameBytes + restBytes);
  record.writeUInt32LE(checksum(record, seed), 8);
  return record;
}

/** The body of a record that was found good before; undefined when it is no longer. */
export function readBody({ seed }: JournalMark, record: Buffer): Buffer | undefined {
  const good = record.length >= frameBytes + restBytes && record.readUInt32LE(8) === checksum(record, seed);
  return good ? record.subarray(frameBytes + restBytes) : undefined;
}

/** The body of a record that forgets those at `offsets`. */
export function writeOffsets(offsets: readonly number[]): Buffer {
  const body = Buffer.allocUnsafe(8 * offsets.length);
  for (const [index, offset] of offsets.entries()) body.writeDoubleLE(offset, 8 * index);
  return body;
}

/** Finds the records of a whole file that are not done with, whatever became of the others. */
export function readContents(bytes: Buffer, mark: JournalMark): JournalContents {
  const places = new Map<number, JournalPlace>();
  let offset = mark.start;
  let damagedBytes = 0;
  for (;;) {
    const next = nextRecord(bytes, mark, offset);
    if (next === undefined) break;
    damagedBytes += next.offset - offset;
    offset = next.offset + next.bytes;
    if (next.kind === forgetting) forget(places, bytes.subarray(next.offset + frameBytes + restBytes, offset));
    else places.set(next.offset, next);
  }
  return { places: [...places.values()], damagedBytes, tornBytes: bytes.length - offset };
}

function forget(places: Map<number, JournalPlace>, body: Buffer): void {
  for (let at = 0; at + 8 <= body.length; at += 8) places.delete(body.readDoubleLE(at));
}

// The next good record at `from` or, where something else stands there, behind it.
function nextRecord(bytes: Buffer, mark: JournalMark, from: number): JournalPlace | undefined {
  for (let offset = bytes.indexOf(mark.mark, from); offset >= 0; offset = bytes.indexOf(mark.mark, offset + 1)) {
    const found = recordAt(bytes, mark, offset);
    if (found !== undefined) return found;
  }
  return undefined;
}

function recordAt(bytes: Buffer, { seed }: JournalMark, offset: number): JournalPlace | undefined {
  if (offset + frameBytes + restBytes > bytes.length) return undefined;
  const rest = bytes.readUInt32LE(offset + 4);
  if (rest < restBytes || offset + frameBytes + rest > bytes.length) return undefined;
  const record = bytes.subarray(offset, offset + frameBytes + rest);
  if (record.readUInt32LE(8) !== checksum(record, seed)) return undefined;
  return {
    offset,
    bytes: record.length,
    kind: record.readUInt8(frameBytes),
    atMs: record.readDoubleLE(frameBytes + 1),
    entries: record.readUInt32LE(frameBytes + 9),
  };
}

function checksum(record: Buffer, seed: number): number {
  return crc32(record.subarray(frameBytes), crc32(record.subarray(4, 8), seed));
}
