import { CorruptStateError, UnknownFormError } from '../errors.js';
import { bigintDigits, type Limits, tooDeep } from './limits.js';
import { isRecord, parseJson, poisoned } from './parse-json.js';
import { isTypedArrayTag, typedArrayFrom } from './typed-arrays.js';

/**
 * Reads what tag.ts wrote: `text` is the JSON text after the form byte, `bytes` the part after the text where typed
 * arrays lie. The tags are an allow-list: no other type can be made, no code of the application runs.
 *
 * @throws CorruptStateError, ValueTooLargeError; UnknownFormError for a tag of a newer version.
 */
export function decodeTagged(text: string, bytes: Buffer, what: string, limits: Limits): unknown {
  const untagging = new Untagging(bytes, what, limits);
  const value = untagging.untag(parseJson(text, what, limits), limits.maxDepth);
  untagging.finish();
  return value;
}

class Untagging {
  readonly #bytes: Buffer;
  readonly #what: string;
  readonly #limits: Limits;
  #bytesUsed = 0;

  constructor(bytes: Buffer, what: string, limits: Limits) {
    this.#bytes = bytes;
    this.#what = what;
    this.#limits = limits;
  }

  /** Puts tagged values in place, inside the freshly parsed `value` itself. */
  untag(value: unknown, depth: number): unknown {
    if (Array.isArray(value)) return this.#untagItems(value, depth);
    if (!isRecord(value)) return value;
    const keys = Object.keys(value);
    const only = keys.length === 1 ? keys[0] : undefined;
    if (only === undefined || !only.startsWith('$')) return this.#untagMembers(value, keys, depth);
    if (!only.startsWith('$$')) return this.#untagOne(only, value[only], depth);
    return this.#untagMembers({ [only.slice(1)]: value[only] }, [only.slice(1)], depth);
  }

  /** Refuses bytes that nobody asked for. */
  finish(): void {
    if (this.#bytesUsed !== this.#bytes.length) throw this.#malformed('part after the text');
  }

  #untagItems(items: unknown[], depth: number): unknown[] {
    if (depth === 0) throw tooDeep(this.#what, this.#limits);
    for (let index = 0; index < items.length; index++) items[index] = this.untag(items[index], depth - 1);
    return items;
  }

  #untagMembers(members: Record<string, unknown>, keys: readonly string[], depth: number): object {
    if (depth === 0) throw tooDeep(this.#what, this.#limits);
    for (const key of keys) {
      if (key === '__proto__') throw poisoned(this.#what);
      const member = members[key];
      const untagged = this.untag(member, depth - 1);
      if (untagged !== member) members[key] = untagged;
    }
    return members;
  }

  #untagOne(tag: string, content: unknown, depth: number): unknown {
    switch (tag) {
      case '$set':
        return new Set(this.#untagItems(this.#list(tag, content), depth));
      case '$map':
        return new Map(this.#pairs(this.#untagItems(this.#list(tag, content), depth)));
      case '$date':
        return this.#date(content);
      case '$bigint':
        return this.#bigint(content);
      case '$number':
        return this.#number(content);
      case '$undefined':
        if (content === true) return undefined;
        throw this.#malformed(tag);
      default:
        return this.#typedArray(tag, content);
    }
  }

  #list(tag: string, content: unknown): unknown[] {
    if (Array.isArray(content)) return content;
    throw this.#malformed(tag);
  }

  #pairs(items: readonly unknown[]): [unknown, unknown][] {
    if (items.length % 2 !== 0) throw this.#malformed('$map');
    return Array.from({ length: items.length / 2 }, (_, index) => [items[index * 2], items[index * 2 + 1]]);
  }

  #date(content: unknown): Date {
    if (content === null) return new Date(Number.NaN);
    const date = new Date(typeof content === 'number' && Number.isInteger(content) ? content : Number.NaN);
    if (Number.isNaN(date.getTime())) throw this.#malformed('$date');
    return date;
  }

  #bigint(content: unknown): bigint {
    if (typeof content === 'string' && isInteger(content)) return BigInt(content);
    throw this.#malformed('$bigint');
  }

  #number(content: unknown): number {
    if (typeof content === 'string' && /^(?:NaN|-?Infinity|-0)$/.test(content)) return Number(content);
    throw this.#malformed('$number');
  }

  /**
   * The lengths asked for may not exceed what there is in all: without that, many tags over one range would make a
   * small value allocate without bound.
   */
  #typedArray(tag: string, content: unknown): unknown {
    if (!isTypedArrayTag(tag)) throw new UnknownFormError(this.#what);
    const [offset, length, ...rest] = this.#list(tag, content);
    if (!isCount(offset) || !isCount(length) || rest.length > 0) throw this.#malformed(tag);
    this.#bytesUsed += length;
    if (this.#bytesUsed > this.#bytes.length || offset + length > this.#bytes.length) throw this.#malformed(tag);
    const array = typedArrayFrom(tag, this.#bytes.subarray(offset, offset + length));
    if (array === undefined) throw this.#malformed(tag);
    return array;
  }

  #malformed(part: string): CorruptStateError {
    return new CorruptStateError(this.#what, `its ${part} is malformed`);
  }
}

function isInteger(text: string): boolean {
  return /^(?:0|-?[1-9]\d*)$/.test(text) && text.length <= bigintDigits + (text.startsWith('-') ? 1 : 0);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
