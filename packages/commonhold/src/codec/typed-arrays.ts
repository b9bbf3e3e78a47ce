import { endianness } from 'node:os';
import { types } from 'node:util';

type TypedArray = NodeJS.TypedArray;

/** What makes a typed array of one kind from its bytes. */
interface Kind {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (bytes: ArrayBuffer): TypedArray;
}

const kinds: readonly Kind[] = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

/** The tag of Buffer and Uint8Array, which are one kind here: bytes. They come back as Buffer, which is a Uint8Array. */
const bytesTag = '$bytes';

/** Elements are stored little-endian. A big-endian machine knows single bytes only: refusing beats swapped numbers. */
const usable = kinds.filter((kind) => kind.BYTES_PER_ELEMENT === 1 || endianness() === 'LE');

/** `$float32` of Float32Array. */
const kindByTag: ReadonlyMap<string, Kind> = new Map(usable.map((kind) => [tagNamed(kind.name), kind]));

function tagNamed(name: string): string {
  return `$${name.slice(0, -'Array'.length).toLowerCase()}`;
}

/** The tag of a typed array, or undefined where this kind has none. */
export function typedArrayTag(array: TypedArray): string | undefined {
  if (types.isUint8Array(array)) return bytesTag;
  const tag = tagNamed(array[Symbol.toStringTag]);
  return kindByTag.has(tag) ? tag : undefined;
}

/** Whether `tag` names a kind of typed array. */
export function isTypedArrayTag(tag: string): boolean {
  return tag === bytesTag || kindByTag.has(tag);
}

/** A typed array over its own copy of `bytes`, or undefined where they are not a whole number of elements. */
export function typedArrayFrom(tag: string, bytes: Buffer): TypedArray | undefined {
  const kind = kindByTag.get(tag);
  if (!kind) return Buffer.from(bytes);
  if (bytes.length % kind.BYTES_PER_ELEMENT !== 0) return undefined;
  return new kind(new Uint8Array(bytes).buffer);
}
