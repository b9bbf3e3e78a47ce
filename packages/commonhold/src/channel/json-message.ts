import type { Codec } from '../codec/codec.js';
import { isPlainJson } from '../codec/plain-json.js';
import { InvalidArgumentError } from '../errors.js';

/** The codec has checked size and depth when these are asked for; what is left is whether JSON can hold the value. */
const checked = { maxValueBytes: Infinity, maxDepth: Infinity };
const expected = 'an object that JSON holds as it is, without members id and previous';

/**
 * The body of a message that any program can read: the text of a JSON object, never compressed, without members `id` and
 * `previous`, which the published text has of its own.
 *
 * @throws InvalidArgumentError for anything else; ValueTooLargeError as the codec does.
 */
export function encodeJsonMessage(message: unknown, what: string, codec: Codec): string {
  if (!isRecord(message) || 'id' in message || 'previous' in message) {
    throw new InvalidArgumentError(what, expected, message);
  }
  const stored = codec.encode(message, what);
  if (typeof stored === 'string' && stored.startsWith('{')) return stored;
  // What the codec would compress, or write in another form than JSON.
  if (isPlainJson(message, checked)) return JSON.stringify(message);
  throw new InvalidArgumentError(what, expected, message);
}

function isRecord(message: unknown): message is object {
  return typeof message === 'object' && message !== null && !Array.isArray(message);
}
