import type { Codec } from '../codec/codec.js';
import { isPlainJson } from '../codec/plain-json.js';
import type { Stored } from '../codec/stored.js';
import { InvalidArgumentError, ValueTooLargeError } from '../errors.js';
import { mostChangeBytes } from './map-batches.js';
import type { MapSpace } from './map-port.js';
import { decodeChecked, type ValueCheck } from '../schema.js';

/** The codec has checked size and depth when these are asked for; what is left is whether JSON can hold the value. */
const checked = { maxValueBytes: Infinity, maxDepth: Infinity };
const firstTextCode = 0x20;

/** Values of one map to bytes and back. */
export class MapValues<Value> {
  readonly #space: MapSpace;
  readonly #codec: Codec;
  readonly #what: string;
  readonly #check: ValueCheck<Value> | undefined;

  constructor(space: MapSpace, codec: Codec, check: ValueCheck<Value> | undefined) {
    this.#space = space;
    this.#codec = codec;
    this.#check = check;
    this.#what = `A value of map ${space.name}`;
  }

  /**
   * The bytes of a value that was checked.
   * @throws InvalidArgumentError for undefined and what is not data; in the documented layout, also for what JSON cannot hold.
   * @throws ValueTooLargeError as the codec does, and for a value that is too large to be published.
   */
  encode(value: Value): Stored {
    if (value === undefined) throw new InvalidArgumentError(this.#what, 'a value', value);
    const stored = this.#codec.encode(value, this.#what);
    if (this.#space.prefix !== undefined) return this.#json(value, stored);
    if (this.#space.changes && Buffer.byteLength(stored) > mostChangeBytes) {
      throw new ValueTooLargeError(this.#what, `${mostChangeBytes} encoded bytes, the bound of a map with changes`);
    }
    return stored;
  }

  /** The value of `key` as the schema gives it, where there is one. @throws InvalidValueError */
  checked(key: string, value: Value): Value {
    return this.#check === undefined ? value : this.#check(value, `${this.#what}, key ${key},`);
  }

  /** Rejects or throws as the codec and the schema do. */
  decode(stored: Stored, key: string): Value | Promise<Value> {
    const what = this.#check === undefined ? this.#what : `${this.#what}, key ${key},`;
    return decodeChecked(this.#codec, this.#check, stored, what);
  }

  // What the codec would compress stays text, since other programs read it.
  #json(value: Value, stored: Stored): string {
    if (typeof stored === 'string' && stored.charCodeAt(0) >= firstTextCode) return stored;
    if (isPlainJson(value, checked)) return JSON.stringify(value);
    throw new InvalidArgumentError(this.#what, 'a value that JSON holds, for a map with a prefix', value);
  }
}
