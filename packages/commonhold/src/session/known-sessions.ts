import type { SessionRecord } from './session-port.js';

/** What one process remembers of sessions at most, estimated. */
const mostBytes = 32 * 1024 * 1024;
const recordBytes = 850;

/** A session as the store told it. */
export interface KnownSession {
  /** Parts sessions of one name from those of another. */
  readonly space: string;
  readonly record: SessionRecord;
  /** When the store told it, monotonic. */
  readonly heardAtMs: number;
  /** Until when it may be served, monotonic. */
  readonly untilMs: number;
}

interface Held extends KnownSession {
  readonly bytes: number;
}

/**
 * The sessions that the store told of lately, by key. What is too old to be served is forgotten, and of more than fit,
 * those told of longest ago.
 */
export class KnownSessions {
  readonly #mostBytes: number;
  /** Oldest first. */
  readonly #held = new Map<string, Held>();
  /** Keys by {@link userKey}; of nobody's sessions by undefined. */
  readonly #ofUser = new Map<string | undefined, Set<string>>();
  #bytes = 0;

  constructor(most: number = mostBytes) {
    this.#mostBytes = most;
  }

  get size(): number {
    return this.#held.size;
  }

  get(key: string): KnownSession | undefined {
    return this.#held.get(key);
  }

  set(key: string, known: KnownSession): void {
    this.delete(key);
    this.#hold(key, known);
    this.#trim(known.heardAtMs);
  }

  /** Replaces what the store told, without making it newer. */
  amend(key: string, record: SessionRecord): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#release(key, held);
    this.#hold(key, { ...held, record });
    this.#trim(held.heardAtMs);
  }

  delete(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#release(key, held);
  }

  clear(): void {
    this.#held.clear();
    this.#ofUser.clear();
    this.#bytes = 0;
  }

  /** Keys and sessions of one user. */
  ofUser(space: string, user: string): [key: string, known: KnownSession][] {
    const keys = [...(this.#ofUser.get(userKey(space, user)) ?? [])];
    return keys.map((key) => [key, this.#held.get(key) as Held]);
  }

  #hold(key: string, known: KnownSession): void {
    const bytes = bytesOf(key, known.record);
    this.#held.set(key, { ...known, bytes });
    this.#bytes += bytes;
    const user = userKeyOf(known);
    const keys = this.#ofUser.get(user);
    if (keys === undefined) this.#ofUser.set(user, new Set([key]));
    else keys.add(key);
  }

  #release(key: string, held: Held): void {
    this.#bytes -= held.bytes;
    const user = userKeyOf(held);
    const keys = this.#ofUser.get(user);
    keys?.delete(key);
    if (keys?.size === 0) this.#ofUser.delete(user);
  }

  #trim(nowMs: number): void {
    for (const [key, { untilMs }] of this.#held) {
      if (this.#bytes <= this.#mostBytes && untilMs >= nowMs) return;
      this.delete(key);
    }
  }
}

function userKeyOf({ space, record: { user } }: KnownSession): string | undefined {
  return user === undefined ? undefined : userKey(space, user);
}

function userKey(space: string, user: string): string {
  return `${space.length} ${space}${user}`;
}

function bytesOf(key: string, { user = '', device = '', fields }: SessionRecord): number {
  const texts = key.length + user.length + device.length;
  return fields.reduce((sum, [name, value]) => sum + 2 * (name.length + value.length) + 50, recordBytes + 2 * texts);
}
