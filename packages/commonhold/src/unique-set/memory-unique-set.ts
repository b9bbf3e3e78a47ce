import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import type { Keys } from '../keys.js';
import { costOf, MemoryMembers } from './memory-members.js';
import type { SetAddress, SetPage, UniqueSetPort } from './unique-set-port.js';
import { uniqueSetKey } from './unique-set-key.js';

/** One table of sets. */
export class MemoryUniqueSet implements UniqueSetPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #sets: ExpiringTable<MemoryMembers>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#sets = store.table('unique-set');
  }

  async add(set: SetAddress, members: readonly string[], ttlMs: number | undefined): Promise<number> {
    const key = uniqueSetKey(this.#keys, set);
    const present = this.#sets.get(key);
    const fresh = [...new Set(members)].filter((member) => present?.has(member) !== true);
    if (fresh.length === 0) return 0;
    const expiresAtMs = present === undefined ? this.#endOf(ttlMs) : this.#sets.expiresAtMs(key);
    const kept = present ?? new MemoryMembers();
    // Takes the bytes first: a full store refuses, and nothing was added then.
    this.#sets.set(
      key,
      kept,
      fresh.reduce((sum, member) => sum + costOf(member), kept.bytes),
      expiresAtMs,
    );
    for (const member of fresh) kept.add(member);
    return fresh.length;
  }

  async has(set: SetAddress, member: string): Promise<boolean> {
    return this.#find(set)?.has(member) ?? false;
  }

  async hasMany(set: SetAddress, members: readonly string[]): Promise<boolean[]> {
    const present = this.#find(set);
    return members.map((member) => present?.has(member) ?? false);
  }

  async count(set: SetAddress): Promise<number> {
    return this.#find(set)?.size ?? 0;
  }

  async members(set: SetAddress, cursor: string, limit: number): Promise<SetPage> {
    const page = this.#find(set)?.page(cursor === '0' ? Infinity : Number(cursor), limit);
    return { members: page?.members ?? [], cursor: String(page?.end ?? 0) };
  }

  async delete(set: SetAddress, members: readonly string[]): Promise<number> {
    const key = uniqueSetKey(this.#keys, set);
    const present = this.#sets.get(key);
    if (present === undefined) return 0;
    const deleted = members.filter((member) => present.delete(member)).length;
    if (present.size === 0) this.#sets.delete(key);
    else this.#sets.set(key, present, present.bytes, this.#sets.expiresAtMs(key));
    return deleted;
  }

  async clear(set: SetAddress): Promise<number> {
    const count = this.#find(set)?.size ?? 0;
    this.#sets.delete(uniqueSetKey(this.#keys, set));
    return count;
  }

  #find(set: SetAddress): MemoryMembers | undefined {
    return this.#sets.get(uniqueSetKey(this.#keys, set));
  }

  #endOf(ttlMs: number | undefined): number {
    return ttlMs === undefined ? Infinity : this.#store.now() + ttlMs;
  }
}
