import { allBatches } from '../all-batches.js';
import type { Channel, ChannelOptions } from '../channel/channel.js';
import type { Stored } from '../codec/stored.js';
import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { GuardOptions } from '../guard.js';
import { IterableMap, type MapEntries } from './iterable-map.js';
import { batchesOf } from './map-batches.js';
import { readChanges } from './map-changes.js';
import type { MapChange, MapEntry } from './map-entry.js';
import type { MapMessage } from './map-message.js';
import {
  checkKey,
  checkSubscribeOptions,
  type MapPageOptions,
  type MapOptions,
  type MapSetOptions,
  type MapSubscribeOptions,
  resolveGuard,
  resolveMapOptions,
  resolvePage,
  resolveWrite,
} from './map-options.js';
import {
  changeRules,
  changesName,
  mapBase,
  type MapEntryPort,
  type MapPort,
  type MapRecord,
  type MapSpace,
} from './map-port.js';
import { MapReplica } from './map-replica.js';
import { MapValues } from './map-values.js';
import { checkOf, type SchemaOption } from '../schema.js';
import type { UpdateTurns } from './update-turns.js';

/** The twins of the two layouts. */
export interface MapPorts {
  readonly map: MapPort;
  readonly plainMap: MapEntryPort;
}

/** What a map needs of the state it belongs to. */
export interface MapHome {
  /** Shared by all maps of the state. */
  readonly turns: UpdateTurns;
  openChannel<Message>(name: string, options: ChannelOptions): Channel<Message>;
  /** Hears of something that must be closed with the state. */
  onReplica(replica: { close(): void }): void;
}

/** What `subscribe` resolves with; `close()` ends it. */
export type MapSubscription = Awaited<ReturnType<Channel<unknown>['subscribe']>>;

/**
 * A dictionary that every process shares: values by key, each with its own lifetime, and each naming the process that
 * wrote it. A key is 1 to 512 bytes of text. Values are what JSON holds, and also Date, Map, Set, BigInt, bytes and typed
 * arrays, but not undefined; what comes back is a copy that the caller may change.
 *
 * Every method rejects with `Unavailable` when the store certainly did nothing, with `OutcomeUnknown` when a write may have
 * happened, and with `CorruptState` when another program's value is in the way. `set`, `delete`, `touch` and `clear` may
 * be repeated safely; after `add` and `update`, read first.
 */
export class SharedMap<Value> extends IterableMap<Value> {
  readonly #space: MapSpace;
  readonly #ttlMs: number | undefined;
  readonly #context: FeatureContext;
  readonly #home: MapHome;
  readonly #port: MapEntryPort;
  /** Undefined in the documented layout. */
  readonly #wholePort: MapPort | undefined;
  readonly #values: MapValues<Value>;
  /** What the keys of this map begin with among the turns of all. */
  readonly #turnPrefix: string;

  /**
   * Use `state.map(name, options)`.
   * @throws InvalidArgumentError naming the option.
   */
  constructor(
    name: string,
    { schema, ...options }: MapOptions & SchemaOption<Value>,
    ports: MapPorts,
    context: FeatureContext,
    home: MapHome,
  ) {
    super();
    const { space, ttlMs } = resolveMapOptions(name, options, context.keys);
    this.#space = space;
    this.#ttlMs = ttlMs;
    this.#context = context;
    this.#home = home;
    this.#wholePort = space.prefix === undefined ? ports.map : undefined;
    this.#port = this.#wholePort ?? ports.plainMap;
    this.#values = new MapValues(space, context.codec, checkOf(schema, `map ${name}`));
    const { prefix } = space;
    this.#turnPrefix = prefix === undefined ? `${mapBase(context.keys, name)}\n` : `plain\n${prefix}\n`;
  }

  /** The value of `key`, or undefined when absent or ended. */
  async get(key: string, options?: GuardOptions): Promise<Value | undefined> {
    this.#check(key);
    const record = await this.#port.get(this.#space, key, resolveGuard(this.#space, options));
    return record && this.#values.decode(record.value, key);
  }

  /** The value of `key` with its version, who wrote it and when it ends. */
  async getEntry(key: string, options?: GuardOptions): Promise<MapEntry<Value> | undefined> {
    this.#check(key);
    const record = await this.#port.getEntry(this.#space, key, resolveGuard(this.#space, options));
    return record && this.#entry(key, record);
  }

  /** The values found, by key; absent keys are left out. One round trip; up to 1,000 keys are read at one moment. */
  async getMany(keys: readonly string[], options?: GuardOptions): Promise<Map<string, Value>> {
    for (const key of keys) this.#check(key);
    const guard = resolveGuard(this.#space, options);
    const records = keys.length === 0 ? [] : await this.#port.getMany(this.#space, keys, guard);
    const values = await Promise.all(
      records.map(async (record, index) => record && this.#values.decode(record.value, keys[index] as string)),
    );
    const found = new Map<string, Value>();
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }

  /** Whether `key` is there. */
  async has(key: string): Promise<boolean> {
    this.#check(key);
    return this.#port.has(this.#space, key);
  }

  /** Sets `key`, replacing value, owner and lifetime. */
  async set(key: string, value: Value, options: MapSetOptions = {}): Promise<void> {
    await this.#write([this.#encodeEntry(key, value)], options);
  }

  /**
   * Sets every entry with one lifetime, in one round trip; of several with one key, the last. Each is set atomically, a
   * large batch is not.
   */
  async setMany(entries: Iterable<readonly [string, Value]>, options: MapSetOptions = {}): Promise<void> {
    this.#whole('setMany');
    resolveWrite(this.#space, options, this.#ttlMs);
    // Each key once: a version never stands for two values.
    const encoded = new Map(Array.from(entries, ([key, value]) => this.#encodeEntry(key, value)));
    const batches = batchesOf([...encoded], this.#space.changes);
    await allBatches(
      'map.setMany',
      batches.map((batch) => this.#write(batch, options)),
    );
  }

  /** Sets `key` only where it is absent; returns whether it did. Of several at once, in any process, one does. */
  async add(key: string, value: Value, options: MapSetOptions = {}): Promise<boolean> {
    const { ttlMs, guard } = resolveWrite(this.#space, options, this.#ttlMs);
    const [, stored] = this.#encodeEntry(key, value);
    return this.#port.add(this.#space, this.#owner, key, stored, ttlMs, guard);
  }

  /** Removes `key`; returns whether it was there. */
  async delete(key: string, options?: GuardOptions): Promise<boolean> {
    this.#check(key);
    const guard = resolveGuard(this.#space, options);
    this.#forget([key]);
    return (await this.#port.delete(this.#space, this.#owner, [key], guard)) === 1;
  }

  /** Removes the keys, in one round trip; returns how many were there. */
  async deleteMany(keys: readonly string[], options?: GuardOptions): Promise<number> {
    const port = this.#whole('deleteMany');
    const guard = resolveGuard(this.#space, options);
    for (const key of keys) this.#check(key);
    this.#forget(keys);
    const batches = batchesOf(
      keys.map((key) => [key] as const),
      this.#space.changes,
    );
    const counts = await allBatches(
      'map.deleteMany',
      batches.map((batch) => port.delete(this.#space, this.#owner, batch.flat(), guard)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /**
   * Sets `key` to what `change` makes of its present value, which is undefined when absent; nothing written meanwhile by
   * anybody is lost. `change` is synchronous, may change the value it is given, and may be called several times, also with
   * a value that is no longer the present one: only its last result counts. Returning undefined writes nothing, and what
   * it throws is thrown. Resolves with the value that then is there. The lifetime begins anew.
   */
  update(
    key: string,
    change: (value: Value | undefined) => Value | undefined,
    options: MapSetOptions = {},
  ): Promise<Value | undefined> {
    return this.#home.turns.run(this.#turnPrefix + key, () => this.#update(key, change, options));
  }

  /** Begins the lifetime of `key` anew, with `ttl` (`Infinity` for no end); returns whether it was there. */
  async touch(key: string, ttl: NonNullable<MapSetOptions['ttl']>, options: GuardOptions = {}): Promise<boolean> {
    this.#check(key);
    const { ttlMs, guard } = resolveWrite(this.#space, { ...options, ttl }, this.#ttlMs);
    return this.#port.touch(this.#space, key, ttlMs, guard);
  }

  /** How many entries there are. */
  async count(): Promise<number> {
    return this.#whole('count').count(this.#space);
  }

  /** Removes every entry, all at one moment; returns how many there were. */
  async clear(options?: GuardOptions): Promise<number> {
    return this.#whole('clear').clear(this.#space, this.#owner, resolveGuard(this.#space, options));
  }

  /**
   * A part of all entries, in no particular order. One that is there from the first page to the last comes at least once;
   * one that is written meanwhile may come not at all or twice. What cannot be read is left out, with a line in the log.
   */
  async page(options: MapPageOptions = {}): Promise<MapEntries<Value>> {
    const port = this.#whole('page');
    const { cursor, limit } = resolvePage(this.#space.name, options);
    const page = await port.page(this.#space, cursor, limit);
    const entries = await Promise.all(page.entries.map(([key, record]) => this.#readable(key, record)));
    return { entries: entries.flat(), cursor: page.cursor === '0' ? undefined : page.cursor };
  }

  /**
   * Calls `listener` for each change from the moment the promise resolves, each once, in the order they were made; the
   * next call waits until the promise it returned has settled. An entry that ends is deleted, and that is a change, when
   * next an entry that has ended is asked for or anything is written or counted; nothing is said of a map that nobody
   * uses for an hour after its last entry ended. Breaks of the link of up to five minutes are mended.
   */
  async subscribe(
    listener: (change: MapChange<Value>) => void | Promise<void>,
    options: MapSubscribeOptions = {},
  ): Promise<MapSubscription> {
    checkSubscribeOptions(this.#space.name, options);
    const onResync = options.onResync ?? ((): void => undefined);
    const deliver = async (message: MapMessage): Promise<void> => {
      const { changes, unreadable, complete } = await readChanges(message, this.#values);
      for (const change of changes) await this.#call(() => listener(change));
      if (!complete || unreadable.length > 0) await this.#call(onResync);
    };
    return this.#changes('subscribe').subscribe(deliver, { onResync });
  }

  /**
   * A copy of the whole map in this process, for reading without waiting, kept right by the changes. Resolves when it is
   * complete. A write is seen here a moment after it was made; an entry is not seen after its end.
   */
  async replica(): Promise<MapReplica<Value>> {
    const port = this.#whole('replica');
    const channel = this.#changes('replica');
    const replica = new MapReplica<Value>(
      {
        name: this.#space.name,
        page: (cursor, limit) => port.page(this.#space, cursor, limit),
        listen: (receive, onResync) => channel.subscribe(receive, { onResync }),
        readChanges: (message) => readChanges(message, this.#values),
        readEntry: (key, record) => this.#readable(key, record),
      },
      this.#context,
    );
    await replica.open();
    // The state remembers this for good, and would keep the copy of a replica that was closed long ago.
    const reference = new WeakRef(replica);
    this.#home.onReplica({ close: () => reference.deref()?.close() });
    return replica;
  }

  get #owner(): string {
    return this.#context.owner.id;
  }

  async #update(
    key: string,
    change: (value: Value | undefined) => Value | undefined,
    options: MapSetOptions,
  ): Promise<Value | undefined> {
    this.#check(key);
    const { ttlMs, guard } = resolveWrite(this.#space, options, this.#ttlMs);
    const known = this.#home.turns.takeKnown(this.#turnPrefix + key);
    let certain = known === undefined;
    let found = known ?? (await this.#port.get(this.#space, key, guard));
    for (;;) {
      const before = found && (await this.#values.decode(found.value, key));
      const after = certain ? change(before) : tryChange(change, before);
      if (after === undefined && certain) return found && this.#values.decode(found.value, key);
      if (after === undefined) found = await this.#port.get(this.#space, key, guard);
      else {
        const written = this.#values.checked(key, after);
        const value = this.#values.encode(written);
        const reply = await this.#port.replace(this.#space, this.#owner, key, found, value, ttlMs, guard);
        if (reply.written) {
          this.#home.turns.remember(this.#turnPrefix + key, { value, version: reply.version });
          return written;
        }
        found = reply.found;
      }
      certain = true;
    }
  }

  #forget(keys: readonly string[]): void {
    this.#home.turns.forget(keys.map((key) => this.#turnPrefix + key));
  }

  #write(entries: readonly (readonly [string, Stored])[], options: MapSetOptions): Promise<void> {
    const { ttlMs, guard } = resolveWrite(this.#space, options, this.#ttlMs);
    this.#forget(entries.map(([key]) => key));
    return this.#port.set(this.#space, this.#owner, entries, ttlMs, guard);
  }

  #encodeEntry(key: string, value: Value): readonly [string, Stored] {
    this.#check(key);
    return [key, this.#values.encode(this.#values.checked(key, value))];
  }

  async #entry(key: string, { value, ...rest }: MapRecord): Promise<MapEntry<Value>> {
    return { key, value: await this.#values.decode(value, key), ...rest };
  }

  async #readable(key: string, record: MapRecord | undefined): Promise<MapEntry<Value>[]> {
    let code = 'CorruptState';
    try {
      if (record !== undefined) return [await this.#entry(key, record)];
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      ({ code } = error);
    }
    this.#context.log.error({ map: this.#space.name, code }, 'an entry cannot be read and is left out');
    return [];
  }

  async #call(listener: () => void | Promise<void>): Promise<void> {
    try {
      await listener();
    } catch (error) {
      this.#context.log.error({ map: this.#space.name, error: String(error) }, 'a map listener failed');
    }
  }

  #changes(method: string): Channel<MapMessage> {
    this.#whole(method);
    if (!this.#space.changes) {
      throw new InvalidArgumentError(
        `map ${this.#space.name}, ${method}`,
        'a map with the option changes: true',
        false,
      );
    }
    const { keys } = this.#context;
    const { keepMs, keepCount } = changeRules;
    const prefix = mapBase(keys, this.#space.name);
    return this.#home.openChannel<MapMessage>(changesName, { prefix, keep: keepMs, keepCount });
  }

  #whole(method: string): MapPort {
    if (this.#wholePort !== undefined) return this.#wholePort;
    throw new InvalidArgumentError(`map ${this.#space.name}, ${method}`, 'a map without prefix', this.#space.prefix);
  }

  #check(key: string): void {
    checkKey(this.#space.name, key);
  }
}

/** What `change` makes of a value that may be out of date, and so must not fail it. */
function tryChange<Value>(
  change: (value: Value | undefined) => Value | undefined,
  before: Value | undefined,
): Value | undefined {
  try {
    return change(before);
  } catch {
    return undefined;
  }
}
