import type { Stored } from '../codec/stored.js';
import { bytesReply, type CommandArgument } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import { encodePart, type Keys } from '../keys.js';
import type { NamedOperation } from '../operation.js';
import { cacheOperations as operations } from './cache-operations.js';
import { type CacheClaim, type CachePort, claimTopic, entryTopic } from './cache-port.js';

const claimScript = loadScript(import.meta.url, 'claim.lua');
const deleteScript = loadScript(import.meta.url, 'delete.lua');
const releaseScript = loadScript(import.meta.url, 'release.lua');

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
    await Promise.all(commands.map((command) => this.#wire.command(operations.setMany, command)));
  }

  async delete(cache: string, keys: readonly string[]): Promise<number> {
    const replies = await Promise.all(keys.map((key) => this.#remove(operations.delete, this.#entry(cache, key))));
    return replies.reduce((sum: number, removed) => sum + Number(removed), 0);
  }

  async claim(cache: string, key: string, token: string, leaseMs: number, owner: string): Promise<CacheClaim> {
    const entry = this.#entry(cache, key);
    const args = [token, String(leaseMs), encodePart(owner)];
    const reply = await this.#wire.run(operations.claim, claimScript, [entry, claimKey(entry)], args, bytesReply);
    const [state, detail] = reply as [Buffer, (Buffer | number)?];
    if (state.toString() === 'value') return { state: 'value', value: detail as Buffer };
    return state.toString() === 'compute' ? { state: 'compute' } : { state: 'wait', leaseMs: Number(detail) };
  }

  async fulfil(cache: string, key: string, token: string, value: Stored, ttlMs: number | undefined): Promise<boolean> {
    const reply = await this.#release(operations.fulfil, cache, key, [
      token,
      ttlMs === undefined ? '' : `${ttlMs}`,
      value,
    ]);
    return reply === 1;
  }

  async abandon(cache: string, key: string, token: string): Promise<void> {
    await this.#release(operations.abandon, cache, key, [token, '-', '']);
  }

  async clear(cache: string, prefix: string, cursor: string): Promise<{ cursor: string; removed: number }> {
    const pattern = `${this.#keys.taggedPrefix('cache', cache, prefix)}*`;
    const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(keysPerScan), 'TYPE', 'string'];
    const [next, found] = (await this.#wire.command(operations.clear, scan)) as [string, string[]];
    const replies = await Promise.all(found.map((entry) => this.#remove(operations.clear, entry)));
    return { cursor: next, removed: replies.filter((removed) => removed === 1).length };
  }

  #entry(cache: string, key: string): string {
    return this.#keys.tagged('cache', cache, key);
  }

  #remove(operation: NamedOperation, entry: string): Promise<unknown> {
    return this.#wire.run(
      operation,
      deleteScript,
      [entry, claimKey(entry)],
      [entryTopic(entry), this.#keys.wakePrefix],
    );
  }

  #release(operation: NamedOperation, cache: string, key: string, [token, ttl, value]: Release): Promise<unknown> {
    const entry = this.#entry(cache, key);
    const args = [token, claimTopic(cache, key), this.#keys.wakePrefix, ttl, value];
    return this.#wire.run(operation, releaseScript, [entry, claimKey(entry)], args);
  }

  async #read(entry: string): Promise<Stored | undefined> {
    return present(await this.#wire.command(operations.getMany, ['GET', entry], bytesReply));
  }
}

type Release = readonly [token: string, ttl: string, value: Stored];

function claimKey(entry: string): string {
  return `${entry}:claim`;
}

function setCommand(entry: string, value: Stored, ttlMs: number | undefined): CommandArgument[] {
  return ttlMs === undefined ? ['SET', entry, value] : ['SET', entry, value, 'PX', String(ttlMs)];
}

function present(reply: unknown): Stored | undefined {
  return reply === null ? undefined : (reply as Buffer);
}
