import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import { uniqueSetKey } from './unique-set-key.js';
import { uniqueSetOperations as operations } from './unique-set-operations.js';
import type { SetAddress, SetPage, UniqueSetPort } from './unique-set-port.js';

const addScript = loadScript(import.meta.url, 'add.lua');
const clearScript = loadScript(import.meta.url, 'clear.lua');

/** A set is one key of the type set, with native expiry. */
export class RedisUniqueSet implements UniqueSetPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async add(set: SetAddress, members: readonly string[], ttlMs: number | undefined): Promise<number> {
    const key = uniqueSetKey(this.#keys, set);
    const added =
      ttlMs === undefined
        ? this.#wire.command(operations.add, ['SADD', key, ...members])
        : this.#wire.run(operations.add, addScript, [key], [String(ttlMs), ...members]);
    return Number(await added);
  }

  async has(set: SetAddress, member: string): Promise<boolean> {
    return (await this.#wire.command(operations.has, ['SISMEMBER', uniqueSetKey(this.#keys, set), member])) === 1;
  }

  async hasMany(set: SetAddress, members: readonly string[]): Promise<boolean[]> {
    const command = ['SMISMEMBER', uniqueSetKey(this.#keys, set), ...members];
    const found = (await this.#wire.command(operations.hasMany, command)) as number[];
    return found.map((one) => one === 1);
  }

  async count(set: SetAddress): Promise<number> {
    return Number(await this.#wire.command(operations.count, ['SCARD', uniqueSetKey(this.#keys, set)]));
  }

  async members(set: SetAddress, cursor: string, limit: number): Promise<SetPage> {
    const command = ['SSCAN', uniqueSetKey(this.#keys, set), cursor, 'COUNT', String(limit)];
    const [next, members] = (await this.#wire.command(operations.members, command)) as [string, string[]];
    return { members, cursor: next };
  }

  async delete(set: SetAddress, members: readonly string[]): Promise<number> {
    return Number(await this.#wire.command(operations.delete, ['SREM', uniqueSetKey(this.#keys, set), ...members]));
  }

  async clear(set: SetAddress): Promise<number> {
    return Number(await this.#wire.run(operations.clear, clearScript, [uniqueSetKey(this.#keys, set)], []));
  }
}
