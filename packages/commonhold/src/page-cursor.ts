import { InvalidArgumentError } from './errors.js';

/** Where the first page begins and the last one ends. */
const start = '0';
const largest = 2n ** 64n - 1n;

/**
 * Where a page begins: at the start where there is no cursor.
 * @throws InvalidArgumentError naming `where`, for what no store gives as a cursor.
 */
export function checkPageCursor(where: string, cursor: string = start): string {
  if (typeof cursor === 'string' && /^(?:0|[1-9]\d{0,19})$/.test(cursor) && BigInt(cursor) <= largest) return cursor;
  throw new InvalidArgumentError(`${where}, cursor`, 'the cursor of the page before', cursor);
}
