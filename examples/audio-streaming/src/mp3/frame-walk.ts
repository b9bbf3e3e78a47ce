import { type FrameHeader, headerBytes, isSameStream, readFrameHeader } from './frame-header.js';

/** One MP3 frame with sound in it. */
export interface Frame extends FrameHeader {
  /** Of its first byte, from the beginning of the file. */
  readonly offset: number;
}

const id3HeaderBytes = 10;
const nothing: Buffer = Buffer.alloc(0);

/**
 * Finds the frames of an MP3 stream that comes in pieces of any size. Tags before, between and after the frames are passed
 * over, and so is the first frame where it is a Xing, Info or VBRI tag, which holds no sound. A frame counts when another of
 * the same stream stands before or behind it: a sync word alone may be chance. Free-format streams are not read.
 *
 * Written to ISO/IEC 11172-3 and 13818-3. Parsers on npm decode far more than the sizes that cutting needs, or are LGPL.
 */
export class FrameWalk {
  #rest: Buffer = nothing;
  /** Of the first byte of the rest. */
  #offset = 0;
  #toSkip = 0;
  /** Header of the last frame, which the next ones must fit. */
  #stream: number | undefined;
  /** Whether the last frame ended where the walk stands. */
  #isInStep = false;

  /** The frames that are certain by now. */
  push(bytes: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    return this.#walk(false);
  }

  /** The frames that the end makes certain; one that is cut short is left out. */
  end(): Frame[] {
    return this.#walk(true);
  }

  #walk(isEnd: boolean): Frame[] {
    const frames: Frame[] = [];
    let at = this.#skip(0);
    while (at + id3HeaderBytes <= this.#rest.length || (isEnd && at + headerBytes <= this.#rest.length)) {
      const tagBytes = this.#id3Bytes(at);
      if (tagBytes > 0) {
        this.#toSkip = tagBytes;
        at = this.#skip(at);
        continue;
      }
      const frame = this.#frameAt(at, isEnd);
      if (frame === 'unknown') break;
      if (frame !== undefined && !this.#isTag(frame, at)) frames.push(frame);
      if (frame !== undefined) this.#stream = this.#rest.readUInt32BE(at);
      this.#isInStep = frame !== undefined;
      at += frame?.bytes ?? 1;
    }
    this.#drop(at);
    return frames;
  }

  /** The frame that begins there; `unknown` where only bytes that have not come can tell. */
  #frameAt(at: number, isEnd: boolean): Frame | 'unknown' | undefined {
    const bits = this.#rest.readUInt32BE(at);
    const header = readFrameHeader(bits);
    if (header === undefined || (this.#stream !== undefined && !isSameStream(bits, this.#stream))) return undefined;
    const next = at + header.bytes;
    if (next + headerBytes > this.#rest.length && !isEnd) return 'unknown';
    if (next > this.#rest.length) return undefined;
    const hasWitness = next + headerBytes <= this.#rest.length && this.#continues(bits, next);
    if (!this.#isInStep && !hasWitness) return undefined;
    return { ...header, offset: this.#offset + at };
  }

  #continues(bits: number, next: number): boolean {
    const following = this.#rest.readUInt32BE(next);
    return readFrameHeader(following) !== undefined && isSameStream(bits, following);
  }

  #isTag({ sideInformationBytes, bytes }: Frame, at: number): boolean {
    if (this.#stream !== undefined) return false;
    const body = this.#rest.subarray(at, at + bytes);
    const nameAt = (start: number): string => body.toString('latin1', start, start + 4);
    return ['Xing', 'Info'].includes(nameAt(headerBytes + sideInformationBytes)) || nameAt(36) === 'VBRI';
  }

  /** Size of the ID3v2 tag that begins there, 0 where none does. */
  #id3Bytes(at: number): number {
    const head = this.#rest.subarray(at, at + id3HeaderBytes);
    if (head.length < id3HeaderBytes || head.toString('latin1', 0, 3) !== 'ID3') return 0;
    const [a = 0, b = 0, c = 0, d = 0] = head.subarray(6);
    if ((a | b | c | d) > 127) return 0;
    const hasFooter = ((head[5] ?? 0) & 0x10) !== 0;
    return ((a << 21) | (b << 14) | (c << 7) | d) + id3HeaderBytes * (hasFooter ? 2 : 1);
  }

  /** Passes over what is left of a tag; returns where to go on. */
  #skip(at: number): number {
    const skipped = Math.min(this.#toSkip, this.#rest.length - at);
    this.#toSkip -= skipped;
    return at + skipped;
  }

  #drop(bytes: number): void {
    this.#rest = this.#rest.subarray(bytes);
    this.#offset += bytes;
  }
}

/** The frames of a whole file in memory. */
export function framesOf(file: Buffer): Frame[] {
  const walk = new FrameWalk();
  return [...walk.push(file), ...walk.end()];
}
