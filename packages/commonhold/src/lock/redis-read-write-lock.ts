import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import { type LineMember, memberText, ownerOf } from '../line-member.js';
import { readWriteLockOperations as operations } from './lock-operations.js';
import {
  keepTokenMs,
  type LockAnswer,
  type LockMode,
  memberOfMode,
  type ReadWriteLockPort,
  type ReadWriteStatus,
  readWriteTopicPrefix,
} from './lock-port.js';

const acquireScript = loadScript(import.meta.url, 'read-write-acquire.lua');
const renewScript = loadScript(import.meta.url, 'read-write-renew.lua');
const releaseScript = loadScript(import.meta.url, 'read-write-release.lua');
const statusScript = loadScript(import.meta.url, 'read-write-status.lua');

/** A lock is a hash (`writer`, `ends_at`, `token`), a sorted set of readers by lease, and two of those who wait. */
export class RedisReadWriteLock implements ReadWriteLockPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async acquire(
    lock: string,
    mode: LockMode,
    member: LineMember,
    leaseMs: number,
    waitMs: number,
  ): Promise<LockAnswer> {
    const args = [textOf(mode, member), `${leaseMs}`, `${waitMs}`, `${keepTokenMs}`];
    const reply = await this.#wire.run(operations.acquire, acquireScript, this.#names(lock), args);
    const [token, first, goneInMs] = reply as [string, number, number];
    return token === '' ? { state: 'wait', first: first === 1, goneInMs } : { state: 'held', token };
  }

  async renew(lock: string, mode: LockMode, member: LineMember, leaseMs: number): Promise<boolean> {
    const [key, readers] = this.#names(lock);
    const args = [textOf(mode, member), `${leaseMs}`, `${keepTokenMs}`];
    return (await this.#wire.run(operations.renew, renewScript, [key, readers], args)) === 1;
  }

  async release(lock: string, mode: LockMode, member: LineMember): Promise<boolean> {
    const args = [textOf(mode, member), `${keepTokenMs}`, this.#keys.wakePrefix, readWriteTopicPrefix(lock)];
    return (await this.#wire.run(operations.release, releaseScript, this.#names(lock), args)) === 1;
  }

  async status(lock: string): Promise<ReadWriteStatus> {
    const [key, readers, , leases] = this.#names(lock);
    const reply = await this.#wire.run(operations.status, statusScript, [key, readers, leases], []);
    const [reading, waiting, member, token = '', expiresInMs = 0] = reply as [
      number,
      number,
      string?,
      string?,
      number?,
    ];
    const status = { readers: reading, waiting };
    return member === undefined ? status : { ...status, writer: { owner: ownerOf(member), token, expiresInMs } };
  }

  #names(lock: string): [key: string, readers: string, order: string, leases: string] {
    const key = this.#keys.tagged('read-write-lock', lock);
    return [key, `${key}:readers`, `${key}:waiting`, `${key}:waiting-leases`];
  }
}

function textOf(mode: LockMode, member: LineMember): string {
  return memberText(memberOfMode(mode, member));
}
