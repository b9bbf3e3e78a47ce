import type { Limits } from './limits.js';

/**
 * Whether JSON.stringify writes `value` such that JSON.parse gives it back: plain objects, arrays, strings, finite
 * numbers, booleans, null, within the limits. JSON.stringify itself does not tell: it turns NaN into null, empties a
 * Map, calls toJSON. False means only that somebody must look closer, which tag.ts does.
 *
 * This runs for every value that is written and costs about a seventh of the JSON.stringify that follows. Hence no
 * paths, no set of seen objects (a cycle ends at the depth limit) and one number for both the count of nodes and the
 * size: what is left of the bytes allowed after the least that each node takes in the text.
 */
export function isPlainJson(value: unknown, { maxValueBytes, maxDepth }: Limits): boolean {
  return bytesLeft(value, maxDepth, maxValueBytes) >= 0;
}

/** Whether JSON text can hold the number: not NaN, not infinite, not -0. */
export function isPlainNumber(value: number): boolean {
  return value - value === 0 && !Object.is(value, -0);
}

/** Negative when `value` is not plain or does not fit. */
function bytesLeft(value: unknown, depth: number, bytes: number): number {
  if (typeof value === 'string') return bytes - value.length;
  if (typeof value === 'number') return isPlainNumber(value) ? bytes - 1 : -1;
  if (typeof value === 'boolean' || value === null) return bytes - 1;
  if (typeof value !== 'object' || depth === 0) return -1;
  if (Array.isArray(value)) return afterItems(value, depth - 1, bytes - value.length);
  return isUsualObject(value) ? afterMembers(value, depth - 1, bytes - 1) : -1;
}

function afterItems(items: readonly unknown[], depth: number, bytes: number): number {
  let left = bytes;
  for (let index = 0; left >= 0 && index < items.length; index++) left = bytesLeft(items[index], depth, left);
  return left;
}

function afterMembers(object: Record<string, unknown>, depth: number, bytes: number): number {
  let left = bytes;
  for (const key in object) {
    if (key === '__proto__') return -1;
    const member = object[key];
    if (member !== undefined) left = bytesLeft(member, depth, left - key.length);
    if (left < 0) return -1;
  }
  return left;
}

function isUsualObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
