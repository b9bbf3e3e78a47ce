import { types } from 'node:util';
import { describe, InvalidArgumentError, ValueTooLargeError } from '../errors.js';
import { taggedForm } from './forms.js';
import { bigintDigits, type Limits, tooDeep, tooLarge } from './limits.js';
import { isPlainNumber } from './plain-json.js';
import type { Stored } from './stored.js';
import { typedArrayTag } from './typed-arrays.js';

const storable = 'plain data (objects, arrays, strings, numbers, booleans, null, bigint, Map, Set, Date, typed arrays)';

const bigintBound = 10n ** BigInt(bigintDigits);

/**
 * Writes a value that {@link isPlainJson} did not pass: as JSON text with tags, or as plain JSON text after all where
 * it needs none (an object of another realm). The tag of each kind is described in the header of codec.ts.
 *
 * @throws InvalidArgumentError for what is not data, with its path.
 * @throws ValueTooLargeError for what is too deep or too large.
 */
export function encodeTagged(value: unknown, what: string, limits: Limits): Stored {
  const tagging = new Tagging(what, limits);
  const tree = tagging.tag(value, limits.maxDepth);
  if (!tagging.used) return JSON.stringify(value);
  const text = String.fromCharCode(taggedForm) + JSON.stringify(tree);
  return tagging.bytes.length === 0 ? text : Buffer.concat([Buffer.from(`${text}\0`), ...tagging.bytes]);
}

class Tagging {
  /** Whether anything was tagged. */
  used = false;
  /** Content of the typed arrays, in the order of their offsets. */
  readonly bytes: Uint8Array[] = [];
  #offset = 0;
  /** What {@link isPlainJson} counts too: a lower bound of the size, taken before anything of that size is made. */
  #bytesLeft: number;
  /** Where we are, for errors: property names, positions. */
  readonly #path: (string | number)[] = [];
  readonly #what: string;
  readonly #limits: Limits;

  constructor(what: string, limits: Limits) {
    this.#what = what;
    this.#limits = limits;
    this.#bytesLeft = limits.maxValueBytes;
  }

  /** `value` as a tree that JSON.stringify writes without loss. `depth` is how many levels may still follow. */
  tag(value: unknown, depth: number): unknown {
    this.#spend(1);
    switch (typeof value) {
      case 'string':
        this.#spend(value.length);
        return value;
      case 'number':
        return isPlainNumber(value) ? value : this.#mark('$number', Object.is(value, -0) ? '-0' : String(value));
      case 'boolean':
        return value;
      case 'undefined':
        return this.#mark('$undefined', true);
      case 'bigint':
        return this.#mark('$bigint', this.#digits(value));
      case 'object':
        return value === null ? null : this.#tagObject(value, depth);
      case 'function':
      case 'symbol':
        break;
    }
    throw this.#refused(value);
  }

  #tagObject(value: object, depth: number): unknown {
    if (Array.isArray(value)) return this.#tagItems(value, value.length, this.#inside(depth));
    if (isPlainObject(value)) return this.#tagMembers(value, this.#inside(depth));
    if (types.isDate(value)) return this.#mark('$date', dateAtMs(value));
    if (types.isTypedArray(value)) return this.#tagBytes(value);
    if (types.isSet(value)) return this.#mark('$set', this.#tagItems(value, value.size, this.#inside(depth)));
    if (types.isMap(value)) return this.#mark('$map', this.#tagEntries(value, this.#inside(depth)));
    throw this.#refused(value);
  }

  #tagMembers(object: Record<string, unknown>, depth: number): object {
    const tagged: Record<string, unknown> = {};
    for (const key of Object.keys(object)) {
      if (key === '__proto__') throw this.#poisoned();
      const member = object[key];
      if (member === undefined) continue;
      this.#spend(key.length);
      tagged[key] = this.#tagChild(key, member, depth);
    }
    return withoutFalseTag(tagged);
  }

  #tagItems(items: Iterable<unknown>, count: number, depth: number): unknown[] {
    this.#spend(count);
    const tagged: unknown[] = [];
    for (const item of items) tagged.push(this.#tagChild(tagged.length, item, depth));
    return tagged;
  }

  /** Keys and values in turn. In a path both are at the position of their entry. */
  #tagEntries(map: ReadonlyMap<unknown, unknown>, depth: number): unknown[] {
    const tagged: unknown[] = [];
    for (const [key, member] of map) {
      const position = tagged.length / 2;
      tagged.push(this.#tagChild(position, key, depth), this.#tagChild(position, member, depth));
    }
    return tagged;
  }

  #tagChild(step: string | number, child: unknown, depth: number): unknown {
    this.#path.push(step);
    const tagged = this.tag(child, depth);
    this.#path.pop();
    return tagged;
  }

  #tagBytes(array: NodeJS.TypedArray): object {
    const tag = typedArrayTag(array);
    if (tag === undefined) throw this.#refused(array);
    this.#spend(array.byteLength);
    const offset = this.#offset;
    if (array.byteLength > 0) this.bytes.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    this.#offset += array.byteLength;
    return this.#mark(tag, [offset, array.byteLength]);
  }

  #digits(value: bigint): string {
    if (value < bigintBound && value > -bigintBound) return String(value);
    throw new ValueTooLargeError(this.#what, `a bigint of ${bigintDigits} digits`);
  }

  #mark(tag: string, content: unknown): object {
    this.used = true;
    return { [tag]: content };
  }

  #inside(depth: number): number {
    if (depth === 0) throw tooDeep(this.#what, this.#limits);
    return depth - 1;
  }

  #spend(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) throw tooLarge(this.#what, this.#limits);
  }

  #refused(value: unknown): InvalidArgumentError {
    return new InvalidArgumentError(`${this.#what}: ${pathText(this.#path)}`, storable, value);
  }

  #poisoned(): InvalidArgumentError {
    const where = `${this.#what}: ${pathText(this.#path)}`;
    return new InvalidArgumentError(where, 'an object without an own property __proto__', {});
  }
}

/** Milliseconds since 1970, null for the Date that is none. */
function dateAtMs(date: Date): number | null {
  const atMs = date.getTime();
  return Number.isNaN(atMs) ? null : atMs;
}

/** Adds a `$` to the name where an object of the caller would read as a tag. */
function withoutFalseTag(tagged: Record<string, unknown>): object {
  const [only, ...others] = Object.keys(tagged);
  return only?.startsWith('$') && others.length === 0 ? { [`$${only}`]: tagged[only] } : tagged;
}

/** Objects of `{}`, `Object.create(null)` and their like from other realms, whose prototypes end there too. */
function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `value.user["first name"][2]`. */
function pathText(path: readonly (string | number)[]): string {
  const steps = path.map((step) =>
    typeof step === 'string' && /^[A-Za-z_$][\w$]{0,39}$/.test(step) ? `.${step}` : `[${describe(step)}]`,
  );
  return `value${steps.join('')}`;
}
