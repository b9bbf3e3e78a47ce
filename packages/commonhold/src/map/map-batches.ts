import type { Stored } from '../codec/stored.js';

/** Bound on one published value: a message of it must not exceed what a codec reads. */
export const mostChangeBytes: number = 512 * 1024;

/** Keys that one call names: a script takes some thousands of arguments. */
const mostKeys = 1_000;
/** Bytes that one step of several entries should have at most, so that it keeps nobody waiting for long. */
const mostStepBytes = 1024 * 1024;
/** The same of one message. */
const mostMessageBytes = 64 * 1024;
/** A control character of a key becomes six in JSON; the rest is what a change costs besides key and value. */
const bytesPerKeyCharacter = 6;
const bytesPerChange = 64;

/** Splits what is written into parts, each of which is one step and, where changes are published, one message. */
export function batchesOf<Item extends readonly [key: string, value?: Stored]>(
  items: readonly Item[],
  changes: boolean,
): Item[][] {
  const batches: Item[][] = [];
  const mostBytes = changes ? mostMessageBytes : mostStepBytes;
  let bytes = Infinity;
  for (const item of items) {
    const last = batches.at(-1);
    const [key, value] = item;
    const more = bytesPerKeyCharacter * key.length + bytesPerChange + Buffer.byteLength(value ?? '');
    bytes += more;
    if (last !== undefined && last.length < mostKeys && bytes <= mostBytes) last.push(item);
    else {
      batches.push([item]);
      bytes = more;
    }
  }
  return batches;
}
