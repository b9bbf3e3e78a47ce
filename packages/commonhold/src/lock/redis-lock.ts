import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import { type LineMember, memberText, ownerOf } from '../line-member.js';
import { withDurability } from '../operation.js';
import { lockOperations as operations } from './lock-operations.js';
import { keepTokenMs, type LockAnswer, type LockPort, type LockStatus, lockTopic } from './lock-port.js';

const acquireScript = loadScript(import.meta.url, 'acquire.lua');
const renewScript = loadScript(import.meta.url, 'renew.lua');
const releaseScript = loadScript(import.meta.url, 'release.lua');
const statusScript = loadScript(import.meta.url, 'status.lua');
const nowScript = loadScript(import.meta.url, 'now.lua');

/** A lock is a hash (`holder`, `ends_at`, `token`) and two sorted sets of those who wait: by arrival, by lease. */
export class RedisLock implements LockPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async acquire(
    lock: string,
    member: LineMember,
    leaseMs: number,
    waitMs: number,
    durable?: boolean,
  ): Promise<LockAnswer> {
    const operation = withDurability(operations.acquire, durable);
    const args = [memberText(member), `${leaseMs}`, `${waitMs}`, `${keepTokenMs}`];
    const reply = await this.#wire.run(operation, acquireScript, this.#names(lock), args);
    const [token, first, goneInMs] = reply as [string, number, number];
    return token === '' ? { state: 'wait', first: first === 1, goneInMs } : { state: 'held', token };
  }

  async renew(lock: string, member: LineMember, leaseMs: number, durable?: boolean): Promise<boolean> {
    const operation = withDurability(operations.renew, durable);
    const args = [memberText(member), `${leaseMs}`, `${keepTokenMs}`];
    return (await this.#wire.run(operation, renewScript, [this.#keys.tagged('lock', lock)], args)) === 1;
  }

  async release(lock: string, member: LineMember): Promise<boolean> {
    const args = [memberText(member), `${keepTokenMs}`, this.#keys.wakePrefix, lockTopic(lock, '')];
    return (await this.#wire.run(operations.release, releaseScript, this.#names(lock), args)) === 1;
  }

  async status(lock: string): Promise<LockStatus> {
    const [key, , leases] = this.#names(lock);
    const reply = await this.#wire.run(operations.status, statusScript, [key, leases], []);
    const [waiting, member, token, expiresInMs] = reply as [number, string?, string?, number?];
    if (member === undefined) return { held: false, waiting };
    return { held: true, owner: ownerOf(member), token: token ?? '', expiresInMs: expiresInMs ?? 0, waiting };
  }

  async now(lock: string): Promise<number> {
    return Number(await this.#wire.run(operations.now, nowScript, [this.#keys.tagged('lock', lock)], []));
  }

  #names(lock: string): [key: string, order: string, leases: string] {
    const key = this.#keys.tagged('lock', lock);
    return [key, `${key}:waiting`, `${key}:waiting-leases`];
  }
}
