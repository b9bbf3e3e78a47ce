import { fenced } from '../backend/redis/fence.js';
import { bytesReply, type CommandArgument } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import type { Stored } from '../codec/stored.js';
import type { Guard } from '../guard.js';
import type { Keys } from '../keys.js';
import type { NamedOperation } from '../operation.js';
import { mapOperations as operations } from './map-operations.js';
import {
  encodeOwner,
  mapBase,
  type MapExpectation,
  type MapPage,
  type MapPort,
  type MapRecord,
  type MapReplacement,
  type MapSpace,
} from './map-port.js';
import { parseEntry, tryParseEntry } from './redis-map-entry.js';

const readScript = loadScript(import.meta.url, 'read.lua');
const hasScript = loadScript(import.meta.url, 'has.lua');
const setScript = loadScript(import.meta.url, 'set.lua');
const replaceScript = loadScript(import.meta.url, 'replace.lua');
const deleteScript = loadScript(import.meta.url, 'delete.lua');
const touchScript = loadScript(import.meta.url, 'touch.lua');
const countScript = loadScript(import.meta.url, 'count.lua');
const clearScript = loadScript(import.meta.url, 'clear.lua');
const pageScript = loadScript(import.meta.url, 'page.lua');

/** Keys that one command reads: a script takes some thousands of arguments. */
const keysPerRead = 1_000;

/** Names remembered at most: of a map that was forgotten, one read is sent twice. */
const mostTimedNames = 1_000;

type Entries = readonly (readonly [key: string, value: Stored])[];

/**
 * A map is one hash, a sorted set of ends where entries end, and a stream where changes are published: see lua/entries.lua.
 * Plain commands read a map of which no entry was ever seen to end; others need the server's time, and so a script.
 */
export class RedisMap implements MapPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;
  /** Names of maps of which an entry was seen that ends, although entries do not by default. */
  readonly #timed = new Set<string>();

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async get(space: MapSpace, key: string, guard?: Guard): Promise<MapRecord | undefined> {
    return (await this.#read(operations.get, space, [key], guard))[0];
  }

  async getEntry(space: MapSpace, key: string, guard?: Guard): Promise<MapRecord | undefined> {
    return (await this.#read(operations.getEntry, space, [key], guard))[0];
  }

  async getMany(space: MapSpace, keys: readonly string[], guard?: Guard): Promise<(MapRecord | undefined)[]> {
    const reads: Promise<(MapRecord | undefined)[]>[] = [];
    for (let start = 0; start < keys.length; start += keysPerRead) {
      reads.push(this.#read(operations.getMany, space, keys.slice(start, start + keysPerRead), guard));
    }
    return (await Promise.all(reads)).flat();
  }

  async has(space: MapSpace, key: string): Promise<boolean> {
    return (await this.#run(operations.has, hasScript, space, [key])) === 1;
  }

  async set(space: MapSpace, owner: string, entries: Entries, ttlMs: number | undefined, guard?: Guard): Promise<void> {
    const args = [encodeOwner(owner), ttlText(ttlMs), ...entries.flat()];
    await this.#run(operations.set, setScript, space, args, guard);
  }

  async add(
    space: MapSpace,
    owner: string,
    key: string,
    value: Stored,
    ttlMs: number | undefined,
    guard?: Guard,
  ): Promise<boolean> {
    return (await this.#replace(operations.add, space, [owner, undefined, key, value, ttlMs], guard))[0] !== null;
  }

  async replace(
    space: MapSpace,
    owner: string,
    key: string,
    expected: MapExpectation | undefined,
    value: Stored | undefined,
    ttlMs: number | undefined,
    guard?: Guard,
  ): Promise<MapReplacement> {
    const reply = await this.#replace(operations.replace, space, [owner, expected?.version, key, value, ttlMs], guard);
    const [version, found] = reply;
    if (version !== null) return { written: true, version: version.length === 0 ? undefined : Number(version) };
    return { written: false, found: found ? parseEntry(space.name, found) : undefined };
  }

  async delete(space: MapSpace, owner: string, keys: readonly string[], guard?: Guard): Promise<number> {
    return Number(await this.#run(operations.delete, deleteScript, space, [encodeOwner(owner), ...keys], guard));
  }

  async touch(space: MapSpace, key: string, ttlMs: number | undefined, guard?: Guard): Promise<boolean> {
    return (await this.#run(operations.touch, touchScript, space, [ttlText(ttlMs), key], guard)) === 1;
  }

  async count(space: MapSpace): Promise<number> {
    return Number(await this.#run(operations.count, countScript, space, []));
  }

  async clear(space: MapSpace, owner: string, guard?: Guard): Promise<number> {
    return Number(await this.#run(operations.clear, clearScript, space, [encodeOwner(owner)], guard));
  }

  async page(space: MapSpace, cursor: string, limit: number): Promise<MapPage> {
    const reply = await this.#run(operations.page, pageScript, space, [cursor, String(limit)]);
    const [next, version, now, flat] = reply as [Buffer, Buffer, Buffer, Buffer[]];
    const entries: [string, MapRecord | undefined][] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      entries.push([String(flat[i]), tryParseEntry(flat[i + 1] as Buffer)]);
    }
    return { entries, cursor: next.toString(), version: Number(version), nowMs: Number(now) };
  }

  async #read(
    operation: NamedOperation,
    space: MapSpace,
    keys: readonly string[],
    guard: Guard | undefined,
  ): Promise<(MapRecord | undefined)[]> {
    if (guard === undefined && !space.timed && !this.#timed.has(space.name)) {
      const records = this.#parse(space, await this.#readPlainly(operation, space, keys));
      if (!records.some((record) => record?.expiresAtMs !== undefined)) return records;
      this.#rememberTimed(space.name);
    }
    return this.#parse(space, (await this.#run(operation, readScript, space, keys, guard)) as (Buffer | null)[]);
  }

  #rememberTimed(name: string): void {
    const [oldest] = this.#timed;
    if (this.#timed.size === mostTimedNames && oldest !== undefined) this.#timed.delete(oldest);
    this.#timed.add(name);
  }

  async #readPlainly(
    operation: NamedOperation,
    space: MapSpace,
    keys: readonly string[],
  ): Promise<readonly (Buffer | null)[]> {
    const [base, only, ...more] = [mapBase(this.#keys, space.name), ...keys];
    if (only !== undefined && more.length === 0) {
      return [(await this.#wire.command(operation, ['HGET', base, only], bytesReply)) as Buffer | null];
    }
    return (await this.#wire.command(operation, ['HMGET', base, ...keys], bytesReply)) as (Buffer | null)[];
  }

  #parse(space: MapSpace, found: readonly (Buffer | null)[]): (MapRecord | undefined)[] {
    return found.map((raw) => (raw === null ? undefined : parseEntry(space.name, raw)));
  }

  async #replace(
    operation: NamedOperation,
    space: MapSpace,
    [owner, version, key, value, ttlMs]: Replacing,
    guard: Guard | undefined,
  ): Promise<readonly [version: Buffer | null, found?: Buffer | null]> {
    const expected = version === undefined ? '' : String(version);
    const args = [encodeOwner(owner), ttlText(ttlMs), expected, key, value ?? ''];
    return (await this.#run(operation, replaceScript, space, args, guard)) as [Buffer | null, Buffer | null];
  }

  #run(
    operation: NamedOperation,
    script: Script,
    space: MapSpace,
    args: readonly CommandArgument[],
    guard?: Guard,
  ): Promise<unknown> {
    const base = mapBase(this.#keys, space.name);
    const keys = [base, `${base}:expiry`, `${base}:changes`];
    const all = [space.changes ? '1' : '', ...args];
    if (guard === undefined) return this.#wire.run(operation, script, keys, all, bytesReply);
    const call = fenced(guard, base, { script, keys, args: all });
    return this.#wire.run(operation, call.script, call.keys, call.args, bytesReply);
  }
}

type Replacing = readonly [
  owner: string,
  version: number | undefined,
  key: string,
  value: Stored | undefined,
  ttlMs: number | undefined,
];

function ttlText(ttlMs: number | undefined): string {
  return ttlMs === undefined ? '' : String(ttlMs);
}
