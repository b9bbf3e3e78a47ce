import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { WaitingLines } from '../backend/memory/waiting-line.js';
import type { Keys } from '../keys.js';
import { isSameMember, type LineMember } from '../line-member.js';
import { keepTokenMs, type LockAnswer, type LockPort, type LockStatus, lockTopic } from './lock-port.js';

interface Held {
  readonly holder: LineMember;
  readonly endsAtMs: number;
}

interface LockRecord {
  readonly token: number;
  /** Absent once it was released; the lease may be over all the same. */
  readonly held?: Held;
}

const recordBytes = 300;

/** Locks in one table, with a table of lines beside it. */
export class MemoryLock implements LockPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #locks: ExpiringTable<LockRecord>;
  readonly #lines: WaitingLines;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#locks = store.table('lock');
    this.#lines = new WaitingLines(store, keys, 'lock-line');
  }

  async acquire(lock: string, member: LineMember, leaseMs: number, waitMs: number): Promise<LockAnswer> {
    const key = this.#key(lock);
    const held = this.#held(key);
    const stored = this.#locks.get(key)?.token ?? 0;
    if (isSameMember(held?.holder, member)) {
      this.#hold(key, member, stored, leaseMs);
      return { state: 'held', token: String(stored) };
    }
    const wait = this.#lines.takeTurn(key, member, waitMs, held?.endsAtMs);
    if (wait !== undefined) return { state: 'wait', ...wait };
    const token = Math.max(stored + 1, this.#store.now() * 1024);
    this.#hold(key, member, token, leaseMs);
    return { state: 'held', token: String(token) };
  }

  async renew(lock: string, member: LineMember, leaseMs: number): Promise<boolean> {
    const key = this.#key(lock);
    const record = this.#locks.get(key);
    if (record === undefined || !isSameMember(this.#held(key)?.holder, member)) return false;
    this.#hold(key, member, record.token, leaseMs);
    return true;
  }

  async release(lock: string, member: LineMember): Promise<boolean> {
    const key = this.#key(lock);
    const record = this.#locks.get(key);
    const held = this.#held(key);
    this.#lines.leave(key, member);
    if (record !== undefined && isSameMember(record.held?.holder, member)) {
      this.#locks.set(key, { token: record.token }, recordBytes, this.#store.now() + keepTokenMs);
    }
    const holds = isSameMember(held?.holder, member);
    if (held === undefined || holds) this.#lines.wakeFirst(key, (id) => lockTopic(lock, id));
    return holds;
  }

  async status(lock: string): Promise<LockStatus> {
    const key = this.#key(lock);
    const waiting = this.#lines.count(key);
    const record = this.#locks.get(key);
    const held = this.#held(key);
    if (record === undefined || held === undefined) return { held: false, waiting };
    const expiresInMs = held.endsAtMs - this.#store.now();
    return { held: true, owner: held.holder.owner, token: String(record.token), expiresInMs, waiting };
  }

  async now(): Promise<number> {
    return this.#store.now();
  }

  #key(lock: string): string {
    return this.#keys.tagged('lock', lock);
  }

  /** Who holds it, by a lease that is not over. */
  #held(key: string): Held | undefined {
    const held = this.#locks.get(key)?.held;
    return held !== undefined && this.#store.now() <= held.endsAtMs ? held : undefined;
  }

  #hold(key: string, holder: LineMember, token: number, leaseMs: number): void {
    const endsAtMs = this.#store.now() + leaseMs;
    this.#locks.set(key, { token, held: { holder, endsAtMs } }, recordBytes, endsAtMs + keepTokenMs);
  }
}
