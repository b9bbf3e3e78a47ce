import { InvalidArgumentError } from './errors.js';
import { checkOptionNames, type OptionNames } from './option-names.js';

/** How to go through everything, page by page. */
export interface IterateOptions {
  /** About how many are read at once, 1 to 1,000. Default 500. */
  readonly pageSize?: number;
  /** Ends the iteration before the next page; it then rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** A page, and where the next begins; no cursor after the last. */
interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | undefined;
}

const names = { pageSize: true, signal: true } satisfies OptionNames<IterateOptions>;
const mostItems = 1_000;

/**
 * The items of every page, one after the other. A page is read when the first of its items is asked for, and nothing is held
 * between pages, so that one may stop anywhere.
 * @throws InvalidArgumentError naming the option, when the first item is asked for.
 */
export async function* itemsOf<Item>(
  where: string,
  { pageSize = 500, signal, ...others }: IterateOptions,
  read: (cursor: string | undefined, limit: number) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  checkOptionNames(where, others, names);
  if (!(Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= mostItems)) {
    throw new InvalidArgumentError(`${where}, pageSize`, `a whole number from 1 to ${mostItems}`, pageSize);
  }
  let cursor: string | undefined;
  do {
    signal?.throwIfAborted();
    const page = await read(cursor, pageSize);
    for (const item of page.items) {
      signal?.throwIfAborted();
      yield item;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
