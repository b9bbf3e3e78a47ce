/**
 * An encoded value, as it travels to a twin. A string stands for its UTF-8 bytes: text stays a string, so that the
 * Redis client writes it without a copy. A Buffer is a form that is not text. Redis always answers with a Buffer, the
 * memory engine with what was stored; the codec reads both alike.
 */
export type Stored = string | Buffer;

/** Whether both are the same bytes, or both undefined. */
export function sameBytes(left: Stored | undefined, right: Stored | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left === right || Buffer.from(left as string).equals(Buffer.from(right as string));
}
