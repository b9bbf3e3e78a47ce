import { allBatches } from '../all-batches.js';
import type { Stored } from '../codec/stored.js';
import { bytesReply, type CommandArgument } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import { encodePart, type Keys } from '../keys.js';
import { isCommonholdError } from '../errors.js';
import type { NamedOperation } from '../operation.js';
import { cacheOperations as operations } from './cache-operations.js';
import {
  changesChannel,
  type CacheClaim,
  type CachePort,
  type CacheRead,
  type CacheWrite,
  entryFilter,
  entryTopic,
  marksKey,
  mostMarks,
} from './cache-port.js';

const claimScript = loadScript(import.meta.url, 'claim.lua');
const deleteScript = loadScript(import.meta.url, 'delete.lua');
const expireScript = loadScript(import.meta.url, 'expire.lua');
const holdScript = loadScript(import.meta.url, 'hold.lua');
const markScript = loadScript(import.meta.url, 'mark.lua');
const marksScript = loadScript(import.meta.url, 'marks.lua');
const readScript = loadScript(import.meta.url, 'read.lua');
const releaseScript = loadScript(import.meta.url, 'release.lua');
const replaceScript = loadScript(import.meta.url, 'replace.lua');

/** Keys that one MGET reads: a larger reply would keep the connection silent for too long. */
const keysPerRead = 64;
/** Keys that one step of clearing looks at. */
const keysPerScan = 1_000;

/** A cache entry is one string key with native expiry; a claim is a hash beside it. */
export class RedisCache implements CachePort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async get(cache: string, key: string): Promise<Stored | undefined> {
    return present(await this.#wire.command(operations.get, ['GET', this.#entry(cache, key)], bytesReply));
  }

  async getMany(cache: string, keys: readonly string[]): Promise<(Stored | undefined)[]> {
    const entries = keys.map((key) => this.#entry(cache, key));
    if (this.#wire.clustered) return Promise.all(entries.map((entry) => this.#read(entry)));
    const reads: Promise<unknown>[] = [];
    for (let start = 0; start < entries.length; start += keysPerRead) {
      const batch = entries.slice(start, start + keysPerRead);
      reads.push(this.#wire.command(operations.getMany, ['MGET', ...batch], bytesReply));
    }
    return ((await Promise.all(reads)) as (Buffer | null)[][]).flat().map(present);
  }

  async read(cache: string, key: string): Promise<CacheRead | undefined> {
    const reply = await this.#wire.run(operations.read, readScript, [this.#entry(cache, key)], [], bytesReply);
    if (reply === null) return undefined;
    const [value, leftMs] = reply as [Buffer, number];
    return { value, leftMs: leftMs < 0 ? undefined : leftMs };
  }

  async set(cache: string, key: string, value: Stored, ttlMs: number | undefined): Promise<void> {
    const entry = this.#entry(cache, key);
    await this.#wire.command(operations.set, setCommand(entry, value, ttlMs));
  }

  async setMany(
    cache: string,
    entries: readonly (readonly [string, Stored])[],
    ttlMs: number | undefined,
  ): Promise<void> {
    const commands = entries.map(([key, value]) => setCommand(this.#entry(cache, key), value, ttlMs));
    const { setMany } = operations;
    await allBatches(
      setMany.name,
      commands.map((command) => this.#wire.command(setMany, command)),
    );
  }

  async replace(cache: string, key: string, { value, ttlMs, announce }: CacheWrite): Promise<void> {
    const args = [this.#channel(cache, announce), value, lifetime(ttlMs)];
    await this.#onEntry(operations.replace, replaceScript, this.#entry(cache, key), args);
  }

  async delete(cache: string, keys: readonly string[], announce: boolean): Promise<number> {
    const entries = keys.map((key) => this.#entry(cache, key));
    return this.#remove(operations.delete, entries, this.#channel(cache, announce));
  }

  async expire(cache: string, keys: readonly string[], staleMs: number, announce: boolean): Promise<number> {
    const entries = keys.map((key) => this.#entry(cache, key));
    const args = [this.#channel(cache, announce), String(staleMs)];
    const { expire } = operations;
    const replies = await allBatches(
      expire.name,
      entries.map((entry) => this.#onEntry(expire, expireScript, entry, args)),
    );
    return replies.filter((expired) => expired === 1).length;
  }

  async claim(
    cache: string,
    key: string,
    token: string,
    leaseMs: number,
    owner: string,
    freshMs: number,
  ): Promise<CacheClaim> {
    const entry = this.#entry(cache, key);
    const args = [token, String(leaseMs), encodePart(owner), String(freshMs)];
    const reply = await this.#wire.run(operations.claim, claimScript, [entry, claimKey(entry)], args, bytesReply);
    const [named, detail] = reply as [Buffer, (Buffer | number)?];
    const state = named.toString() as CacheClaim['state'];
    if (state === 'value') return { state, value: detail as Buffer };
    return state === 'compute' ? { state } : { state, leaseMs: Number(detail) };
  }

  async fulfil(cache: string, key: string, token: string, write: CacheWrite, freshMs: number): Promise<boolean> {
    const args = [this.#channel(cache, write.announce), token, lifetime(write.ttlMs), write.value, String(freshMs)];
    return (await this.#onEntry(operations.fulfil, releaseScript, this.#entry(cache, key), args)) === 1;
  }

  async abandon(cache: string, key: string, token: string): Promise<void> {
    await this.#onEntry(operations.abandon, releaseScript, this.#entry(cache, key), ['', token, '-', '', '0']);
  }

  async hold(cache: string, key: string, token: string, holdMs: number): Promise<void> {
    await this.#onEntry(operations.hold, holdScript, this.#entry(cache, key), [token, String(holdMs)]);
  }

  async marks(cache: string): Promise<readonly (readonly [tag: string, mark: number])[]> {
    const key = marksKey(this.#keys, cache);
    const reply = (await this.#wire.run(operations.marks, marksScript, [key], [])) as string[];
    return Array.from({ length: reply.length / 2 }, (_, at) => [reply[2 * at] ?? '', Number(reply[2 * at + 1])]);
  }

  async mark(cache: string, tags: readonly string[]): Promise<number> {
    const key = marksKey(this.#keys, cache);
    const args = [
      changesChannel(this.#keys, cache),
      String(mostMarks),
      ...tags.flatMap((tag) => [tag, encodePart(tag)]),
    ];
    return Number(await this.#wire.run(operations.mark, markScript, [key], args));
  }

  async clear(
    cache: string,
    prefix: string,
    match: string | undefined,
    cursor: string,
    announce: boolean,
  ): Promise<{ cursor: string; removed: number }> {
    const pattern = `${this.#keys.taggedPrefix('cache', cache, prefix)}*`;
    const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(keysPerScan), 'TYPE', 'string'];
    const [next, found] = (await this.#wire.command(operations.clear, scan)) as [string, string[]];
    const fitting = found.filter(entryFilter(match));
    const removed = await this.#remove(operations.clear, fitting, this.#channel(cache, announce));
    return { cursor: next, removed };
  }

  #entry(cache: string, key: string): string {
    return this.#keys.tagged('cache', cache, key);
  }

  async #remove(operation: NamedOperation, entries: readonly string[], channel: string): Promise<number> {
    const replies = await allBatches(
      operation.name,
      entries.map((entry) => this.#onEntry(operation, deleteScript, entry, [channel])),
    );
    return replies.filter((removed) => removed === 1).length;
  }

  /** Where to announce; empty where nobody is told. */
  #channel(cache: string, announce: boolean): string {
    return announce ? changesChannel(this.#keys, cache) : '';
  }

  /** Runs a script that may end a claim: each takes the entry, its claim, and how to wake who waits. */
  #onEntry(
    operation: NamedOperation,
    script: Script,
    entry: string,
    args: readonly CommandArgument[],
  ): Promise<unknown> {
    const wake = [entryTopic(entry), this.#keys.wakePrefix];
    return this.#wire.run(operation, script, [entry, claimKey(entry)], [...wake, ...args]);
  }

  // As MGET answers: nothing where the key is of another type.
  async #read(entry: string): Promise<Stored | undefined> {
    try {
      return present(await this.#wire.command(operations.getMany, ['GET', entry], bytesReply));
    } catch (error) {
      if (isCommonholdError(error) && error.code === 'CorruptState') return undefined;
      throw error;
    }
  }
}

function claimKey(entry: string): string {
  return `${entry}:claim`;
}

function lifetime(ttlMs: number | undefined): string {
  return ttlMs === undefined ? '' : String(ttlMs);
}

function setCommand(entry: string, value: Stored, ttlMs: number | undefined): CommandArgument[] {
  return ttlMs === undefined ? ['SET', entry, value] : ['SET', entry, value, 'PX', String(ttlMs)];
}

function present(reply: unknown): Stored | undefined {
  return reply === null ? undefined : (reply as Buffer);
}
