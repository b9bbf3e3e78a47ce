import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { WaitingLines } from '../backend/memory/waiting-line.js';
import type { Keys } from '../keys.js';
import { isSameMember, type LineMember, memberText, type TurnToCome } from '../line-member.js';
import {
  keepTokenMs,
  type LockAnswer,
  type LockMode,
  memberOfMode,
  type ReadWriteLockPort,
  type ReadWriteStatus,
  readWriteTopicPrefix,
} from './lock-port.js';

interface Writer {
  readonly member: LineMember;
  readonly endsAtMs: number;
}

interface ReadWriteRecord {
  readonly token: number;
  readonly writer?: Writer | undefined;
  /** When the lease of each reader ends, by its text. */
  readonly readers: ReadonlyMap<string, number>;
}

const recordBytes = 300;
const readerBytes = 150;
const isWriter = ({ id }: LineMember): boolean => id.startsWith('write-');

/** Locks in one table, with a table of lines beside it. */
export class MemoryReadWriteLock implements ReadWriteLockPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #locks: ExpiringTable<ReadWriteRecord>;
  readonly #lines: WaitingLines;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#locks = store.table('read-write-lock');
    this.#lines = new WaitingLines(store, keys, 'read-write-lock-line');
  }

  async acquire(lock: string, mode: LockMode, plain: LineMember, leaseMs: number, waitMs: number): Promise<LockAnswer> {
    const key = this.#key(lock);
    const member = memberOfMode(mode, plain);
    const record = this.#alive(key);
    if (!holds(record, member)) {
      const wait = this.#takeTurn(key, record, member, waitMs);
      if (wait !== undefined) return { state: 'wait', ...wait };
    }
    const joins = holds(record, member) || (mode === 'read' && record.readers.size > 0);
    const token = joins ? record.token : Math.max(record.token + 1, this.#store.now() * 1024);
    this.#hold(key, { ...record, token }, member, leaseMs);
    this.#lines.leave(key, member);
    return { state: 'held', token: String(token) };
  }

  async renew(lock: string, mode: LockMode, plain: LineMember, leaseMs: number): Promise<boolean> {
    const key = this.#key(lock);
    const member = memberOfMode(mode, plain);
    const record = this.#alive(key);
    if (!holds(record, member)) return false;
    this.#hold(key, record, member, leaseMs);
    return true;
  }

  async release(lock: string, mode: LockMode, plain: LineMember): Promise<boolean> {
    const key = this.#key(lock);
    const member = memberOfMode(mode, plain);
    const record = this.#alive(key);
    const held = holds(record, member);
    if (held) this.#write(key, without(record, member), 0);
    this.#lines.leave(key, member);
    this.#wake(key, lock, mode);
    return held;
  }

  async status(lock: string): Promise<ReadWriteStatus> {
    const key = this.#key(lock);
    const { readers, writer, token } = this.#alive(key);
    const status = { readers: readers.size, waiting: this.#lines.count(key) };
    if (writer === undefined) return status;
    const expiresInMs = writer.endsAtMs - this.#store.now();
    return { ...status, writer: { owner: writer.member.owner, token: String(token), expiresInMs } };
  }

  #key(lock: string): string {
    return this.#keys.tagged('read-write-lock', lock);
  }

  /** The lock with those holders alone whose lease is not over. */
  #alive(key: string): ReadWriteRecord {
    const { token = 0, writer, readers = [] } = this.#locks.get(key) ?? {};
    const now = this.#store.now();
    return {
      token,
      writer: writer !== undefined && now <= writer.endsAtMs ? writer : undefined,
      readers: new Map([...readers].filter(([, endsAtMs]) => now <= endsAtMs)),
    };
  }

  #takeTurn(
    key: string,
    { writer, readers }: ReadWriteRecord,
    member: LineMember,
    waitMs: number,
  ): Omit<TurnToCome, 'state'> | undefined {
    if (!isWriter(member)) return this.#lines.takeTurn(key, member, waitMs, writer?.endsAtMs, isWriter);
    const busyUntilMs = readers.size > 0 ? Math.max(...readers.values()) : writer?.endsAtMs;
    return this.#lines.takeTurn(key, member, waitMs, busyUntilMs);
  }

  #hold(key: string, record: ReadWriteRecord, member: LineMember, leaseMs: number): void {
    const endsAtMs = this.#store.now() + leaseMs;
    const readers = new Map(record.readers);
    if (!isWriter(member)) readers.set(memberText(member), endsAtMs);
    const writer = isWriter(member) ? { member, endsAtMs } : record.writer;
    this.#write(key, { token: record.token, writer, readers }, leaseMs);
  }

  #write(key: string, record: ReadWriteRecord, leaseMs: number): void {
    const bytes = recordBytes + record.readers.size * readerBytes;
    const keptUntilMs = this.#store.now() + leaseMs + keepTokenMs;
    this.#locks.set(key, record, bytes, Math.max(keptUntilMs, this.#locks.expiresAtMs(key) ?? 0));
  }

  /** As `wake_next` in lua/read-write-line.lua. */
  #wake(key: string, lock: string, left: LockMode): void {
    const { writer, readers } = this.#alive(key);
    // As long as one writes, nobody looks who in the line has died.
    const first = writer === undefined ? this.#lines.first(key) : undefined;
    if (first === undefined) return;
    const topic = (id: string): string => readWriteTopicPrefix(lock) + id;
    if (!isWriter(first)) {
      if (left === 'write') this.#lines.wakeWhile(key, topic, (member) => !isWriter(member));
    } else if (readers.size === 0) this.#lines.wakeFirst(key, topic);
  }
}

function holds({ writer, readers }: ReadWriteRecord, member: LineMember): boolean {
  return isWriter(member) ? isSameMember(writer?.member, member) : readers.has(memberText(member));
}

function without({ token, writer, readers }: ReadWriteRecord, member: LineMember): ReadWriteRecord {
  const left = new Map(readers);
  left.delete(memberText(member));
  return { token, writer: isWriter(member) ? undefined : writer, readers: left };
}
