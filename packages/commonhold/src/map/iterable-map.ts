import { type IterateOptions, itemsOf } from '../pages.js';
import type { MapEntry } from './map-entry.js';
import type { MapPageOptions } from './map-options.js';

/** Some entries of a map, and where to go on; no cursor after the last. */
export interface MapEntries<Value> {
  readonly entries: readonly MapEntry<Value>[];
  readonly cursor: string | undefined;
}

/** A map that gives its entries in pages, and so one by one as well. */
export abstract class IterableMap<Value> {
  abstract page(options?: MapPageOptions): Promise<MapEntries<Value>>;

  /**
   * Keys and values of all entries, page by page: `for await (const [key, value] of map)`. Which entries come is said of
   * `page`.
   */
  async *entries(options: IterateOptions = {}): AsyncGenerator<[key: string, value: Value], void, undefined> {
    for await (const { key, value } of this.#all('map entries', options)) yield [key, value];
  }

  /** The keys of all entries, page by page. The values are read with them. */
  async *keys(options: IterateOptions = {}): AsyncGenerator<string, void, undefined> {
    for await (const { key } of this.#all('map keys', options)) yield key;
  }

  /** The values of all entries, page by page. */
  async *values(options: IterateOptions = {}): AsyncGenerator<Value, void, undefined> {
    for await (const { value } of this.#all('map values', options)) yield value;
  }

  [Symbol.asyncIterator](): AsyncGenerator<[key: string, value: Value], void, undefined> {
    return this.entries();
  }

  #all(where: string, options: IterateOptions): AsyncGenerator<MapEntry<Value>, void, undefined> {
    return itemsOf(where, options, async (cursor, limit) => {
      const { entries, cursor: next } = await this.page({ limit, ...(cursor === undefined ? {} : { cursor }) });
      return { items: entries, cursor: next };
    });
  }
}
