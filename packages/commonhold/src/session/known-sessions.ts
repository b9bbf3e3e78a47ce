import type { SessionRecord } from './session-port.js';

/** What one process remembers of sessions at most, estimated. */
const mostBytes = 32 * 1024 * 1024;
const recordBytes = 500;

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
    const held = { ...known, bytes: bytesOf(key, known.record) };
    this.#held.set(key, held);
    this.#bytes += held.bytes;
    this.#trim(known.heardAtMs);
  }

  /** Replaces what the store told, without making it newer. */
  amend(key: string, record: SessionRecord): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    const bytes = bytesOf(key, record);
    this.#held.set(key, { ...held, record, bytes });
    this.#bytes += bytes - held.bytes;
    this.#trim(held.heardAtMs);
  }

  delete(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#bytes -= held.bytes;
  }

  clear(): void {
    this.#held.clear();
    this.#bytes = 0;
  }

  /** Keys and sessions of one user. */
  ofUser(space: string, user: string): [key: string, known: KnownSession][] {
    return [...this.#held].filter(([, known]) => known.record.user === user && known.space === space);
  }

  #trim(nowMs: number): void {
    for (const [key, { untilMs }] of this.#held) {
      if (this.#bytes <= this.#mostBytes && untilMs >= nowMs) return;
      this.delete(key);
    }
  }
}

function bytesOf(key: string, { user = '', device = '', fields }: SessionRecord): number {
  const texts = key.length + user.length + device.length;
  return fields.reduce((sum, [name, value]) => sum + 2 * (name.length + value.length) + 50, recordBytes + 2 * texts);
}
