import { sleep } from '../clock.js';
import { isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { millisecondsOf } from '../message-id.js';
import { jittered } from '../random.js';
import type { ReadChanges } from './map-changes.js';
import type { MapChange, MapEntry } from './map-entry.js';
import type { MapMessage } from './map-message.js';
import type { MapPage, MapRecord } from './map-port.js';
import { MapView } from './map-view.js';
import { ServerClock } from '../server-clock.js';

/** What a replica needs of its map. */
export interface ReplicaSource<Value> {
  readonly name: string;
  page(cursor: string, limit: number): Promise<MapPage>;
  listen(
    receive: (message: MapMessage, id: string) => Promise<void>,
    onResync: () => Promise<void>,
  ): Promise<{ close(): void }>;
  readChanges(message: MapMessage): Promise<ReadChanges<Value>>;
  /** The entry, or nothing where it cannot be read. */
  readEntry(key: string, record: MapRecord | undefined): Promise<MapEntry<Value>[]>;
}

type ReplicaContext = Pick<FeatureContext, 'clock' | 'random' | 'log' | 'bus'>;

const entriesPerPage = 500;
const firstRetryMs = 50;
const longestRetryMs = 2_000;

/**
 * A copy of a map in this process. Reads are synchronous and show what was there a moment ago: changes are applied as they
 * come. Values are shared by all who read them here, so treat them as read-only.
 *
 * An entry is not shown after its end, whether or not anybody has removed it; the clocks are compared over a round trip,
 * and an entry may disappear early by as much. While the link is down the copy stays as it was, and `stale` says so. When changes may have been
 * missed the map is read anew, until that succeeds, and the new copy takes the place of the old one at once.
 */
export class MapReplica<Value> {
  readonly #source: ReplicaSource<Value>;
  readonly #context: ReplicaContext;
  readonly #serverClock: ServerClock;
  readonly #closing = new AbortController();
  #view = new MapView<Value>();
  /** The copy that is being made, which takes changes too. */
  #coming: MapView<Value> | undefined;
  #loading: Promise<void> = Promise.resolve();
  #subscription: { close(): void } | undefined;
  #unwatch: readonly (() => void)[] = [];
  #broken = false;

  /** Use `replica()` of a map. */
  constructor(source: ReplicaSource<Value>, context: ReplicaContext) {
    this.#source = source;
    this.#context = context;
    this.#serverClock = new ServerClock(context.clock);
  }

  /** Resolves when the copy is complete. Called once, by `SharedMap.replica`. */
  async open(): Promise<void> {
    const { bus } = this.#context;
    this.#unwatch = [bus.onBroken(() => (this.#broken = true)), bus.onRestored(() => (this.#broken = false))];
    try {
      this.#subscription = await this.#source.listen(
        (message, id) => this.#receive(message, id),
        () => this.#reload(),
      );
      await this.#load();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The value of `key`, or undefined when absent or ended. */
  get(key: string): Value | undefined {
    return this.getEntry(key)?.value;
  }

  /** The value of `key` with its version, who wrote it and when it ends. */
  getEntry(key: string): MapEntry<Value> | undefined {
    const entry = this.#view.entries.get(key);
    if (entry === undefined || !this.#ended(entry)) return entry;
    this.#view.drop(key);
    return undefined;
  }

  /** Whether `key` is there. */
  has(key: string): boolean {
    return this.getEntry(key) !== undefined;
  }

  /** The keys, in no particular order. */
  *keys(): IterableIterator<string> {
    for (const entry of this.#live()) yield entry.key;
  }

  /** Keys and values, in no particular order. */
  *entries(): IterableIterator<[string, Value]> {
    for (const { key, value } of this.#live()) yield [key, value];
  }

  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.entries();
  }

  /** How many entries there are; looks at each. */
  get size(): number {
    let size = 0;
    for (const _ of this.#live()) size++;
    return size;
  }

  /** Whether changes may have been made that are not here: the link is down, the map is read anew, or `close` was called. */
  get stale(): boolean {
    return this.#broken || this.#coming !== undefined || this.#closing.signal.aborted;
  }

  /** Ends the updates; what is here stays readable, and grows old. May be called twice. */
  close(): void {
    this.#closing.abort();
    for (const unwatch of this.#unwatch) unwatch();
    this.#subscription?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  *#live(): IterableIterator<MapEntry<Value>> {
    for (const entry of this.#view.entries.values()) {
      if (this.#ended(entry)) this.#view.drop(entry.key);
      else yield entry;
    }
  }

  #ended({ expiresAtMs }: MapEntry<Value>): boolean {
    return expiresAtMs !== undefined && this.#serverClock.now() > expiresAtMs;
  }

  async #receive(message: MapMessage, id: string): Promise<void> {
    const { changes, unreadable, complete } = await this.#source.readChanges(message);
    this.#serverClock.atLeast(millisecondsOf(id));
    for (const change of changes) this.#apply(change);
    // As in pages: what cannot be read is left out. The old value is not the present one.
    for (const { key, version } of unreadable) this.#apply({ type: 'delete', key, version, owner: undefined });
    if (unreadable.length > 0) this.#context.log.error({ map: this.#source.name }, 'a change cannot be read');
    if (!complete) await this.#reload();
  }

  #apply(change: MapChange<Value>): void {
    this.#view.apply(change);
    this.#coming?.apply(change);
  }

  /** Reads the map anew. Of two readings at once the later one counts, for both. */
  #load(): Promise<void> {
    this.#loading = this.#readPages();
    return this.#loading;
  }

  /** Reads every page into a copy of its own. */
  async #readPages(): Promise<void> {
    const coming = new MapView<Value>();
    this.#coming = coming;
    let cursor = '0';
    do {
      const sentAtMs = this.#context.clock.monotonic();
      const page = await this.#source.page(cursor, entriesPerPage);
      if (cursor === '0') coming.raiseFloor(page.version);
      this.#serverClock.answered(page.nowMs, sentAtMs);
      const entries = await Promise.all(page.entries.map(([key, record]) => this.#source.readEntry(key, record)));
      for (const entry of entries.flat()) coming.read(entry);
      cursor = page.cursor;
    } while (cursor !== '0' && this.#coming === coming);
    if (this.#coming !== coming) return this.#loading;
    coming.settle();
    this.#view = coming;
    this.#coming = undefined;
  }

  async #reload(): Promise<void> {
    const { clock, random, log } = this.#context;
    const { signal } = this.#closing;
    for (let retryMs = firstRetryMs; !signal.aborted; retryMs = Math.min(2 * retryMs, longestRetryMs)) {
      try {
        return await this.#load();
      } catch (error) {
        if (isCommonholdError(error) && error.code === 'Closed') return;
        log.warn({ map: this.#source.name, error: String(error) }, 'a replica could not be read; it is tried again');
        await sleep(clock, jittered(random, retryMs), signal);
      }
    }
  }
}
