import { CorruptStateError } from '../errors.js';
import { type Limits, tooDeep } from './limits.js';

/**
 * Text shorter than this is parsed before its depth is known. V8 parses without recursion, and a text of this length
 * that is nothing but brackets takes it 3 ms, eight times what ordinary text takes. Longer text is scanned first, at a
 * third of the cost of parsing it.
 */
const scannedFromLength = 65_536;

/** Brackets that a tagged value may need more than its depth: two for each Map or Set, two for a Date at the end. */
const bracketsPerLevel = 2;

/** Parses text that may come from anyone. The result is not checked yet: {@link checkParsed} or the untagging does. */
export function parseJson(text: string, what: string, limits: Limits): unknown {
  const bound = (limits.maxDepth + 1) * bracketsPerLevel;
  if (text.length >= scannedFromLength && nestsDeeperThan(bound, Buffer.from(text))) throw tooDeep(what, limits);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Without its cause: the message of a SyntaxError quotes the text, which may be a secret.
    throw new CorruptStateError(what, 'its text is not JSON');
  }
}

/** Refuses a parsed value that is too deep or has an own property `__proto__`, which JSON.parse lets pass. */
export function checkParsed(value: unknown, what: string, limits: Limits): void {
  checkAtDepth(value, limits.maxDepth, what, limits);
}

function checkAtDepth(value: unknown, depth: number, what: string, limits: Limits): void {
  if (!isRecord(value)) return;
  if (depth === 0) throw tooDeep(what, limits);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) checkAtDepth(value[index], depth - 1, what, limits);
    return;
  }
  for (const key in value) {
    if (key === '__proto__') throw poisoned(what);
    checkAtDepth(value[key], depth - 1, what, limits);
  }
}

/** Whether a parsed value has members or elements. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The refusal of an own property `__proto__`: whoever copies such an object member by member changes a prototype. */
export function poisoned(what: string): CorruptStateError {
  return new CorruptStateError(what, 'it has a property named __proto__');
}

const quote = 0x22;
const backslash = 0x5c;
/** `[` and `{` differ in one bit only, as do `]` and `}`; without it they are the former of each pair. */
const caseBit = 0x20;
const opening = 0x5b;
const closing = 0x5d;

/**
 * Whether brackets outside of strings nest deeper than `bound`. Over bytes, since V8 reads those twice as fast as the
 * characters of a string. Text that is not JSON gets any answer: the parser stops where it stops being JSON.
 */
function nestsDeeperThan(bound: number, text: Uint8Array): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text[index] ?? 0;
    if (code === quote) index = endOfString(text, index + 1);
    else if ((code & ~caseBit) === closing) depth--;
    else if ((code & ~caseBit) === opening && ++depth > bound) return true;
  }
  return false;
}

/** The index of the quote that ends a string whose content begins at `start`. */
function endOfString(text: Uint8Array, start: number): number {
  let index = start;
  while (index < text.length && text[index] !== quote) index += text[index] === backslash ? 2 : 1;
  return index;
}
