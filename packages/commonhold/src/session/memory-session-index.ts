import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';

type Scores = Map<string, number>;

const scoreBytes = 150;

/** Each user's sessions by when they expire, and with equal expiry by id, as a sorted set of Redis has them. */
export class MemorySessionIndex {
  readonly #store: MemoryStore;
  readonly #users: ExpiringTable<Scores>;

  constructor(store: MemoryStore) {
    this.#store = store;
    this.#users = store.table('session-index');
  }

  /** The ids that have not expired, in order; forgets the others. */
  ids(key: string): string[] {
    const scores = this.#users.get(key) ?? new Map<string, number>();
    const now = this.#store.now();
    this.remove(
      key,
      [...scores].filter(([, expiresAtMs]) => expiresAtMs < now).map(([id]) => id),
    );
    return [...scores].toSorted(byScore).map(([id]) => id);
  }

  /** @throws OverloadedError when the store is full; nothing was added then. */
  add(key: string, id: string, expiresAtMs: number, endsAtMs: number): void {
    const scores = this.#users.get(key);
    const size = (scores?.size ?? 0) + (scores?.has(id) ? 0 : 1);
    const lastsUntilMs = Math.max(this.#users.expiresAtMs(key) ?? 0, endsAtMs);
    const kept = scores ?? new Map<string, number>();
    this.#users.set(key, kept, size * scoreBytes, lastsUntilMs);
    kept.set(id, expiresAtMs);
  }

  remove(key: string, ids: readonly string[]): void {
    const scores = this.#users.get(key);
    if (scores === undefined || ids.length === 0) return;
    for (const id of ids) scores.delete(id);
    if (scores.size === 0) this.#users.delete(key);
    else this.#users.set(key, scores, scores.size * scoreBytes, this.#users.expiresAtMs(key));
  }
}

function byScore([id, score]: readonly [string, number], [otherId, otherScore]: readonly [string, number]): number {
  return score - otherScore || (id < otherId ? -1 : 1);
}
