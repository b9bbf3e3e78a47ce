import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import { type LineMember, memberText, type TurnToCome } from '../line-member.js';
import { concurrencyOperations as operations } from './concurrency-operations.js';
import { type ConcurrencyCount, type ConcurrencyPort, type SlotGrant, slotTopic } from './concurrency-port.js';

const acquireScript = loadScript(import.meta.url, 'acquire.lua');
const renewScript = loadScript(import.meta.url, 'renew.lua');
const releaseScript = loadScript(import.meta.url, 'release.lua');
const countScript = loadScript(import.meta.url, 'count.lua');

/** A subject is three sorted sets: holders by lease, and those who wait by arrival and by lease. */
export class RedisConcurrency implements ConcurrencyPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async acquire(
    limiter: string,
    subject: string,
    member: LineMember,
    limit: number,
    leaseMs: number,
    waitMs: number,
  ): Promise<SlotGrant | TurnToCome> {
    const waking = [this.#keys.wakePrefix, slotTopic(limiter, subject, '')];
    const args = [memberText(member), `${limit}`, `${leaseMs}`, `${waitMs}`, ...waking];
    const reply = await this.#wire.run(operations.acquire, acquireScript, this.#names(limiter, subject), args);
    const [first, goneInMs] = reply as [] | [number, number];
    return goneInMs === undefined ? { state: 'held' } : { state: 'wait', first: first === 1, goneInMs };
  }

  async renew(limiter: string, subject: string, member: LineMember, leaseMs: number): Promise<boolean> {
    const [key] = this.#names(limiter, subject);
    return (await this.#wire.run(operations.renew, renewScript, [key], [memberText(member), `${leaseMs}`])) === 1;
  }

  async release(limiter: string, subject: string, member: LineMember): Promise<boolean> {
    const args = [memberText(member), this.#keys.wakePrefix, slotTopic(limiter, subject, '')];
    return (await this.#wire.run(operations.release, releaseScript, this.#names(limiter, subject), args)) === 1;
  }

  async count(limiter: string, subject: string): Promise<ConcurrencyCount> {
    const [key, , leases] = this.#names(limiter, subject);
    const [used, waiting] = (await this.#wire.run(operations.count, countScript, [key, leases], [])) as [
      number,
      number,
    ];
    return { used, waiting };
  }

  #names(limiter: string, subject: string): [key: string, order: string, leases: string] {
    const key = this.#keys.tagged('concurrency', limiter, subject);
    return [key, `${key}:waiting`, `${key}:waiting-leases`];
  }
}
