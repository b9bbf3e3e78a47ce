/**
 * Values to bytes and back. This is the whole wire format (K2); byte offsets count from 0, numbers are in bytes.
 *
 * A stored value is never empty. Its first byte says what it is:
 *
 *   0x20-0xff  JSON text (RFC 8259) in UTF-8, as JSON.stringify wrote it: no leading white space, no tags.
 *   0x01       Bytes: the rest is the content.
 *   0x02       Tagged JSON: the rest is JSON text in UTF-8 and then, where the value holds typed arrays, one 0x00 and
 *              their content, one after the other. JSON text never holds a 0x00, so the first one ends it.
 *   0x03       Compressed: the rest is one Zstandard frame (RFC 8878) without dictionary, which declares the size of
 *              its content. The content is a stored value in any form but this one.
 *   0x04       Sealed (encrypted). Reserved; needs a key.
 *   0x05       Labelled, in caches with tags only: JSON text of an array of tags and their marks in turn, a line feed, and a
 *              stored value in any form but this one. The codec itself reports UnknownForm; cache/tag-marks.ts reads it.
 *   0x00, 0x06-0x1f  Not assigned. A reader reports UnknownForm and leaves the bytes alone.
 *
 * Tagged JSON. An object with exactly one member whose name begins with `$` stands for something else; objects of two
 * members or more never do. In plain JSON text (0x20-0xff) there are no tags and such an object is itself.
 *
 *   {"$undefined":true}         undefined. Only as an array element, a Map or Set member, or the value itself: as the
 *                               value of an object's member it is left out, as JSON does. Holes in arrays become it.
 *   {"$number":"NaN"}           NaN, and likewise "Infinity", "-Infinity", "-0".
 *   {"$bigint":"-12"}           An integer in decimal, at most 10,000 digits, no leading zero.
 *   {"$date":1700000000000}     Milliseconds since 1970 UTC, an integer within +-8.64e15; null for the invalid date.
 *   {"$set":[a,b]}              A Set, in its order. Members are values, tagged again where needed.
 *   {"$map":[k,v,k,v]}          A Map, in its order: keys and values in turn, both any value.
 *   {"$bytes":[offset,length]}  Bytes. They lie after the 0x00, `offset` bytes further on, `length` of them.
 *   {"$float32":[offset,length]}  Likewise a typed array, `length` in bytes, elements little-endian. Names: int8,
 *                               uint8clamped, int16, uint16, int32, uint32, float32, float64, bigint64, biguint64.
 *   {"$$name":x}                The object {"$name":x}: of its name's leading `$`, one is taken away.
 *   {"$other":x}                A reader that does not know `$other` reports UnknownForm.
 *
 * Ranges of typed arrays do not overlap and leave nothing uncovered; a reader checks at least that their lengths add
 * up to what follows the 0x00.
 *
 * Limits, the same for writer and reader: the stored value before compression has at most `maxValueBytes`, and at most
 * `maxDepth` objects, arrays, Maps and Sets lie around each other (a tag's own brackets do not count). No object has a
 * member `__proto__`. A reader checks the declared size of a frame before it allocates anything.
 *
 * What comes back differs from what was given in this only: a Uint8Array is a Buffer, an object without prototype has
 * one, a subclass of Array, Map, Set or Date is its base, an undefined member of an object is absent. Symbol keys,
 * inherited properties and further properties of arrays, Maps and the like are not written, as in JSON. Functions,
 * symbols and instances of other classes are refused, even those with toJSON: they would come back as something else.
 */
import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import { CorruptStateError, UnknownFormError } from '../errors.js';
import { compressed, decompressed } from './compression.js';
import { bytesForm, firstTextByte, sealedForm, taggedForm, zstdForm } from './forms.js';
import { type Limits, tooLarge, wholeNumber } from './limits.js';
import { checkParsed, parseJson } from './parse-json.js';
import { isPlainJson } from './plain-json.js';
import type { Stored } from './stored.js';
import { encodeTagged } from './tag.js';
import { decodeTagged } from './untag.js';

/** How a codec writes and what it accepts. */
export interface CodecOptions {
  /** Whether values above 1 KiB are compressed where that saves 15 %. Default true. Reading does not depend on it. */
  readonly compress?: boolean | undefined;
  /** Most bytes of an encoded value before compression, 1 to 2^29. Default 1 MiB. Readers refuse more, too. */
  readonly maxValueBytes?: number | undefined;
  /** Most objects, arrays, Maps and Sets around each other, 1 to 512. Default 64. */
  readonly maxDepth?: number | undefined;
}

/**
 * Turns values into bytes and back. `what` names the value in errors, as in `cache pages, key x`; errors never hold
 * content. It is a plain string: joining two costs no more than the function that would put it off.
 */
export interface Codec {
  /**
   * The bytes to store. Synchronous; nothing of `value` is kept.
   *
   * @throws InvalidArgumentError where a part of it is not data, with the path to that part.
   * @throws ValueTooLargeError where it is too large or too deep.
   */
  encode(value: unknown, what: string): Stored;
  /**
   * The value, or a promise of it in the one case that the library for compressed values has to be loaded first:
   * before Node 22.15, once a process. Nothing of `stored` is kept.
   *
   * @throws UnknownFormError for a form of a newer version, or a sealed value.
   * @throws CorruptStateError for anything else that a codec does not write.
   * @throws ValueTooLargeError where it is larger or deeper than this codec accepts.
   * @throws MissingDependencyError where that library is not installed.
   */
  decode(stored: Stored, what: string): unknown;
}

/** Makes a codec. Throws InvalidArgumentError for an option outside its range. */
export function createCodec(options: CodecOptions = {}): Codec {
  const limits: Limits = {
    maxValueBytes: wholeNumber('maxValueBytes', options.maxValueBytes, 2 ** 20, 1, 2 ** 29),
    maxDepth: wholeNumber('maxDepth', options.maxDepth, 64, 1, 512),
  };
  const compress = options.compress ?? true;
  return {
    encode: (value, what) => {
      const form = encode(value, what, limits);
      return compress ? compressed(form) : form;
    },
    decode: (stored, what) => decode(stored, what, limits),
  };
}

function encode(value: unknown, what: string, limits: Limits): Stored {
  const form = uncheckedForm(value, what, limits);
  // A character takes at most three bytes, so most values need no counting.
  if (form.length * 3 > limits.maxValueBytes && Buffer.byteLength(form) > limits.maxValueBytes)
    throw tooLarge(what, limits);
  return form;
}

function uncheckedForm(value: unknown, what: string, limits: Limits): Stored {
  if (isPlainJson(value, limits)) return JSON.stringify(value);
  if (!types.isUint8Array(value)) return encodeTagged(value, what, limits);
  if (value.byteLength >= limits.maxValueBytes) throw tooLarge(what, limits);
  return Buffer.concat([Buffer.of(bytesForm), value]);
}

function decode(stored: Stored, what: string, limits: Limits): unknown {
  if (stored.length === 0) throw new CorruptStateError(what, 'it is empty');
  if (stored.length > limits.maxValueBytes) throw tooLarge(what, limits);
  const first = typeof stored === 'string' ? stored.charCodeAt(0) : stored.readUInt8(0);
  return first < firstTextByte ? decodeForm(first, stored, what, limits) : decodePlain(stored, what, limits);
}

function decodePlain(stored: Stored, what: string, limits: Limits): unknown {
  const text = typeof stored === 'string' ? stored : textOf(stored, 0, stored.length, what);
  const value = parseJson(text, what, limits);
  checkParsed(value, what, limits);
  return value;
}

function decodeForm(form: number, stored: Stored, what: string, limits: Limits): unknown {
  switch (form) {
    case bytesForm:
      return Buffer.from(bytesOf(stored).subarray(1));
    case taggedForm:
      return decodeTaggedForm(stored, what, limits);
    case zstdForm:
      return decodeCompressed(bytesOf(stored).subarray(1), what, limits);
    case sealedForm:
      throw new UnknownFormError(`${what}, sealed while no key is configured,`, { advice: 'Configure the key.' });
    default:
      throw new UnknownFormError(what);
  }
}

function decodeTaggedForm(stored: Stored, what: string, limits: Limits): unknown {
  if (typeof stored === 'string') return decodeTagged(stored.slice(1), noBytes, what, limits);
  const zero = stored.indexOf(0);
  if (zero === -1) return decodeTagged(textOf(stored, 1, stored.length, what), noBytes, what, limits);
  return decodeTagged(textOf(stored, 1, zero, what), stored.subarray(zero + 1), what, limits);
}

function decodeCompressed(frame: Buffer, what: string, limits: Limits): unknown {
  const inside = decompressed(frame, what, limits);
  return inside instanceof Promise
    ? inside.then((form) => decodeInside(form, what, limits))
    : decodeInside(inside, what, limits);
}

function decodeInside(form: Buffer, what: string, limits: Limits): unknown {
  if (form[0] === zstdForm) throw new CorruptStateError(what, 'it is compressed twice');
  return decode(form, what, limits);
}

const noBytes: Buffer = Buffer.alloc(0);

function bytesOf(stored: Stored): Buffer {
  return typeof stored === 'string' ? Buffer.from(stored) : stored;
}

/** Decoding puts U+FFFD in place of what is not UTF-8: only where one is found can there have been such. */
function textOf(stored: Buffer, start: number, end: number, what: string): string {
  const text = stored.toString('utf8', start, end);
  if (text.includes('\ufffd') && !isUtf8(stored.subarray(start, end)))
    throw new CorruptStateError(what, 'its text is not UTF-8');
  return text;
}
