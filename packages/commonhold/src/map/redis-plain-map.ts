import { allBatches } from '../all-batches.js';
import { bytesReply, type CommandArgument } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Stored } from '../codec/stored.js';
import { InvalidArgumentError } from '../errors.js';
import { hashTag, type Keys } from '../keys.js';
import { plainMapOperations as operations } from './map-operations.js';
import type { MapEntryPort, MapExpectation, MapRecord, MapReplacement, MapSpace } from './map-port.js';
import { valueOnly } from './plain-map-record.js';

const replaceScript = loadScript(import.meta.url, 'plain-replace.lua');
const entryScript = loadScript(import.meta.url, 'plain-entry.lua');
const persistScript = loadScript(import.meta.url, 'plain-persist.lua');

/** Keys that one MGET reads. */
const keysPerRead = 1_000;

/** The documented layout: an entry is one string key with native expiry. */
export class RedisPlainMap implements MapEntryPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async get(space: MapSpace, key: string): Promise<MapRecord | undefined> {
    return present(await this.#wire.command(operations.get, ['GET', this.#key(space, key)], bytesReply));
  }

  async getEntry(space: MapSpace, key: string): Promise<MapRecord | undefined> {
    const reply = await this.#wire.run(operations.getEntry, entryScript, [this.#key(space, key)], [], bytesReply);
    const [value, ends] = reply as [Buffer?, Buffer?];
    if (value === undefined) return undefined;
    return { ...valueOnly(value), expiresAtMs: ends?.length ? Number(ends) : undefined };
  }

  async getMany(space: MapSpace, keys: readonly string[]): Promise<(MapRecord | undefined)[]> {
    const names = keys.map((key) => this.#key(space, key));
    const reads: Promise<unknown>[] = [];
    for (let start = 0; start < names.length; start += keysPerRead) {
      const command = ['MGET', ...names.slice(start, start + keysPerRead)];
      reads.push(this.#wire.command(operations.getMany, command, bytesReply));
    }
    return ((await Promise.all(reads)) as (Buffer | null)[][]).flat().map(present);
  }

  async has(space: MapSpace, key: string): Promise<boolean> {
    return (await this.#wire.command(operations.has, ['EXISTS', this.#key(space, key)])) === 1;
  }

  async set(
    space: MapSpace,
    _owner: string,
    entries: readonly (readonly [key: string, value: Stored])[],
    ttlMs: number | undefined,
  ): Promise<void> {
    const commands = entries.map(([key, value]) => this.#set(space, key, value, ttlMs));
    await allBatches(
      operations.set.name,
      commands.map((command) => this.#wire.command(operations.set, command)),
    );
  }

  async add(space: MapSpace, _owner: string, key: string, value: Stored, ttlMs: number | undefined): Promise<boolean> {
    return (await this.#wire.command(operations.add, [...this.#set(space, key, value, ttlMs), 'NX'])) !== null;
  }

  async replace(
    space: MapSpace,
    _owner: string,
    key: string,
    expected: MapExpectation | undefined,
    value: Stored | undefined,
    ttlMs: number | undefined,
  ): Promise<MapReplacement> {
    const args = [expected?.value ?? '', value ?? '', ttlMs === undefined ? '' : String(ttlMs)];
    const keys = [this.#key(space, key)];
    const reply = await this.#wire.run(operations.replace, replaceScript, keys, args, bytesReply);
    const [written, found] = reply as [number, (Buffer | null)?];
    return written === 1 ? { written: true, version: undefined } : { written: false, found: present(found ?? null) };
  }

  async delete(space: MapSpace, _owner: string, keys: readonly string[]): Promise<number> {
    const names = keys.map((key) => this.#key(space, key));
    return Number(await this.#wire.command(operations.delete, ['DEL', ...names]));
  }

  async touch(space: MapSpace, key: string, ttlMs: number | undefined): Promise<boolean> {
    const name = this.#key(space, key);
    const touched =
      ttlMs === undefined
        ? this.#wire.run(operations.touch, persistScript, [name], [])
        : this.#wire.command(operations.touch, ['PEXPIRE', name, String(ttlMs)]);
    return (await touched) === 1;
  }

  #set(space: MapSpace, key: string, value: Stored, ttlMs: number | undefined): CommandArgument[] {
    const command = ['SET', this.#key(space, key), value];
    return ttlMs === undefined ? command : [...command, 'PX', String(ttlMs)];
  }

  // One command reads many keys, which a cluster allows within one slot only.
  #key({ prefix = '' }: MapSpace, key: string): string {
    if (this.#wire.clustered && hashTag(prefix) === prefix) {
      throw new InvalidArgumentError('map prefix', `a hash tag on a clustered server, as in '{${prefix}}'`, prefix);
    }
    return this.#keys.documented(prefix, key);
  }
}

function present(reply: unknown): MapRecord | undefined {
  return reply === null ? undefined : valueOnly(reply as Buffer);
}
