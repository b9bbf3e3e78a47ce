import type { Keys } from '../../keys.js';
import { type LineMember, memberText, type TurnToCome } from '../../line-member.js';
import type { ExpiringTable } from './expiring-table.js';
import type { MemoryStore } from './memory-store.js';

interface Place {
  readonly member: LineMember;
  aliveUntilMs: number;
}

/** Estimated bytes of a line, and of one who stands in it. */
const lineBytes = 100;
const placeBytes = 250;

/** Those who wait for a turn, first come first served, as lock/lua/line.lua keeps them. */
export class WaitingLines {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #lines: ExpiringTable<Map<string, Place>>;

  /** @param table name of the table that holds the lines. */
  constructor(store: MemoryStore, keys: Keys, table: string) {
    this.#store = store;
    this.#keys = keys;
    this.#lines = store.table(table);
  }

  /**
   * Undefined when it is the turn of `member`, which then stands in the line no more. Otherwise, with `waitMs` above 0, it
   * stands in the line. `busyUntilMs`: until when somebody has the turn.
   */
  takeTurn(
    key: string,
    member: LineMember,
    waitMs: number,
    busyUntilMs: number | undefined,
  ): Omit<TurnToCome, 'state'> | undefined {
    const text = memberText(member);
    const line = this.#alive(key, text);
    const first = line.keys().next().value;
    if (busyUntilMs === undefined && (first === undefined || first === text)) {
      line.delete(text);
      return undefined;
    }
    const now = this.#store.now();
    const goneInMs = (busyUntilMs ?? line.get(first ?? '')?.aliveUntilMs ?? now) - now;
    if (waitMs === 0) return { ahead: line.size, goneInMs };
    this.#stand(key, line, member, now + waitMs);
    return { ahead: [...line.keys()].indexOf(text), goneInMs };
  }

  leave(key: string, member: LineMember): void {
    this.#lines.get(key)?.delete(memberText(member));
  }

  /** Wakes the one whose turn it is. `topic` makes its id the topic to wake it with. */
  wakeFirst(key: string, topic: (id: string) => string): void {
    const [first] = this.#alive(key).values();
    if (first !== undefined) this.#wake(first.member, topic);
  }

  /** Wakes all, who then stand in the line no more. */
  wakeAll(key: string, topic: (id: string) => string): void {
    for (const { member } of this.#lines.get(key)?.values() ?? []) this.#wake(member, topic);
    this.#lines.delete(key);
  }

  /** How many wait and are alive. */
  count(key: string): number {
    const now = this.#store.now();
    return [...(this.#lines.get(key)?.values() ?? [])].filter((place) => now <= place.aliveUntilMs).length;
  }

  #alive(key: string, speaking?: string): Map<string, Place> {
    const line = this.#lines.get(key) ?? new Map<string, Place>();
    const now = this.#store.now();
    for (const [text, place] of line) if (now > place.aliveUntilMs && text !== speaking) line.delete(text);
    return line;
  }

  #stand(key: string, line: Map<string, Place>, member: LineMember, aliveUntilMs: number): void {
    const text = memberText(member);
    const place = line.get(text);
    const size = line.size + (place === undefined ? 1 : 0);
    const expiresAtMs = Math.max(aliveUntilMs, this.#lines.expiresAtMs(key) ?? 0);
    this.#lines.set(key, line, lineBytes + size * placeBytes, expiresAtMs);
    if (place === undefined) line.set(text, { member, aliveUntilMs });
    else place.aliveUntilMs = aliveUntilMs;
  }

  #wake({ owner, id }: LineMember, topic: (id: string) => string): void {
    this.#store.bus.publish(this.#keys.wake(owner), topic(id));
  }
}
