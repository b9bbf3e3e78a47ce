import { encodePart } from '../keys.js';
import type { LineMember, TurnToCome } from '../line-member.js';

/** The lock. The token is decimal text and grows with every acquisition. */
export interface LockGrant {
  readonly state: 'held';
  readonly token: string;
}

/** What one who asks for a lock is told. */
export type LockAnswer = LockGrant | TurnToCome;

/** A lock as it stands. `waiting` counts those alive. */
export type LockStatus =
  | { readonly held: false; readonly waiting: number }
  | {
      readonly held: true;
      /** Id of the holder's process. */
      readonly owner: string;
      readonly token: string;
      /** Milliseconds until the lease ends, unless it is renewed. */
      readonly expiresInMs: number;
      readonly waiting: number;
    };

/**
 * The contract of the two lock twins. Each method is one atomic step. A lock has at most one holder, for `leaseMs` at a
 * time by the store's clock; those who wait stand in a line in the order they came, each for as long as it said.
 */
export interface LockPort {
  /**
   * Gives the lock when it is free and nobody waits who came before; its holder gets the token it has. Otherwise `member`
   * stands in the line for the next `waitMs`, keeping its place, or does not with 0. With `durable` it answers when that
   * outlives the server.
   */
  acquire(lock: string, member: LineMember, leaseMs: number, waitMs: number, durable?: boolean): Promise<LockAnswer>;
  /** Lets the lease begin anew, with `durable` as above; false when `member` does not hold the lock. */
  renew(lock: string, member: LineMember, leaseMs: number, durable?: boolean): Promise<boolean>;
  /**
   * Ends what `member` has, the lock or its place in the line, and wakes the one whose turn it is with
   * {@link lockTopic}. Returns whether it held the lock.
   */
  release(lock: string, member: LineMember): Promise<boolean>;
  status(lock: string): Promise<LockStatus>;
  /** Milliseconds since 1970 by the clock that ends the leases of `lock`. */
  now(lock: string): Promise<number>;
}

/** How long the last token is remembered after the lock was free: K13. */
export const keepTokenMs = 86_400_000;

/** The topic on which the member `id` is woken, who waits for `lock`. */
export function lockTopic(lock: string, id: string): string {
  return `lock:${encodePart(lock)}:${id}`;
}

/** How a lock of readers and writers is held. */
export type LockMode = 'read' | 'write';

/** Such a lock as it stands. `waiting` counts those alive, readers and writers. */
export interface ReadWriteStatus {
  /** How many read. */
  readonly readers: number;
  /** Who writes; absent while nobody does. */
  readonly writer?: {
    /** Id of its process. */
    readonly owner: string;
    readonly token: string;
    /** Milliseconds until the lease ends, unless it is renewed. */
    readonly expiresInMs: number;
  };
  readonly waiting: number;
}

/**
 * The contract of the two twins of a lock for readers and writers. Each method is one atomic step. One writer holds it, or
 * any number of readers do, each for `leaseMs` at a time by the store's clock; those who wait stand in one line.
 */
export interface ReadWriteLockPort {
  /**
   * To write: as {@link LockPort.acquire}. To read: gives the lock when nobody writes, and no writer waits who came before.
   * Who reads together has one token; a writer, and readers after it, get a larger one.
   */
  acquire(lock: string, mode: LockMode, member: LineMember, leaseMs: number, waitMs: number): Promise<LockAnswer>;
  /** Lets the lease begin anew; false when `member` does not hold the lock so. */
  renew(lock: string, mode: LockMode, member: LineMember, leaseMs: number): Promise<boolean>;
  /**
   * Ends what `member` has, the lock or its place in the line, and wakes those whose turn it is with {@link readWriteTopic}:
   * a writer, or all readers before the next one. Returns whether it held the lock.
   */
  release(lock: string, mode: LockMode, member: LineMember): Promise<boolean>;
  status(lock: string): Promise<ReadWriteStatus>;
}

/** The member as it stands in the line, where its mode must be seen. */
export function memberOfMode(mode: LockMode, { owner, id }: LineMember): LineMember {
  return { owner, id: `${mode}-${id}` };
}

/** The topic on which the member `id` is woken, who waits for `lock` in this mode. */
export function readWriteTopic(lock: string, mode: LockMode, id: string): string {
  return `${readWriteTopicPrefix(lock)}${mode}-${id}`;
}

/** What the topics of all who wait for `lock` begin with. */
export function readWriteTopicPrefix(lock: string): string {
  return `read-write-lock:${encodePart(lock)}:`;
}
