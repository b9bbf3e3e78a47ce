import type { Keys } from '../../keys.js';
import { type LineMember, memberText, type TurnToCome } from '../../line-member.js';
import type { ExpiringTable } from './expiring-table.js';
import type { MemoryStore } from './memory-store.js';

interface Place {
  readonly member: LineMember;
  aliveUntilMs: number;
}

interface Line {
  readonly places: Map<string, Place>;
  /** Nobody is dead before that, so that thousands who wait are not looked through for each that asks. */
  allAliveUntilMs: number;
}

/** Estimated bytes of a line, and of one who stands in it. */
const lineBytes = 100;
const placeBytes = 250;

/** Those who wait for a turn, first come first served, as lock/lua/line.lua keeps them. */
export class WaitingLines {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #lines: ExpiringTable<Line>;

  /** @param table name of the table that holds the lines. */
  constructor(store: MemoryStore, keys: Keys, table: string) {
    this.#store = store;
    this.#keys = keys;
    this.#lines = store.table(table);
  }

  /**
   * Undefined when it is the turn of `member`, which then stands in the line no more. Otherwise, with `waitMs` above 0, it
   * stands in the line. `busyUntilMs`: until when somebody has the turn. `blocks`: whether one who stands before it keeps it
   * from its turn; all do by default.
   */
  takeTurn(
    key: string,
    member: LineMember,
    waitMs: number,
    busyUntilMs: number | undefined,
    blocks: (before: LineMember) => boolean = () => true,
  ): Omit<TurnToCome, 'state'> | undefined {
    const text = memberText(member);
    const line = this.#alive(key, text);
    const before = blocker(line, text, blocks);
    if (busyUntilMs === undefined && before === undefined) {
      this.#drop(key, line, text);
      return undefined;
    }
    const now = this.#store.now();
    const goneInMs = (busyUntilMs ?? before?.aliveUntilMs ?? now) - now;
    if (waitMs > 0) this.#stand(key, line, member, now + waitMs);
    return { first: firstOf(line) === text, goneInMs };
  }

  leave(key: string, member: LineMember): void {
    const line = this.#lines.get(key);
    if (line !== undefined) this.#drop(key, line, memberText(member));
  }

  /** Wakes the one whose turn it is. `topic` makes its id the topic to wake it with. */
  wakeFirst(key: string, topic: (id: string) => string): void {
    const [first] = this.#alive(key).places.values();
    if (first !== undefined) this.#wake(first.member, topic);
  }

  /** Wakes those that stand first and are `meant`, up to the first that is not. */
  wakeWhile(key: string, topic: (id: string) => string, meant: (member: LineMember) => boolean): void {
    for (const { member } of this.#alive(key).places.values()) {
      if (!meant(member)) return;
      this.#wake(member, topic);
    }
  }

  /** The one that stands first. */
  first(key: string): LineMember | undefined {
    return this.#alive(key).places.values().next().value?.member;
  }

  /** Wakes all, who then stand in the line no more. */
  wakeAll(key: string, topic: (id: string) => string): void {
    for (const { member } of this.#lines.get(key)?.places.values() ?? []) this.#wake(member, topic);
    this.#lines.delete(key);
  }

  /** How many wait and are alive. */
  count(key: string): number {
    const now = this.#store.now();
    return [...(this.#lines.get(key)?.places.values() ?? [])].filter((place) => now <= place.aliveUntilMs).length;
  }

  #alive(key: string, speaking?: string): Line {
    const line = this.#lines.get(key) ?? { places: new Map(), allAliveUntilMs: Infinity };
    const now = this.#store.now();
    if (now <= line.allAliveUntilMs) return line;
    line.allAliveUntilMs = Infinity;
    for (const [text, { aliveUntilMs }] of line.places) {
      if (now > aliveUntilMs && text !== speaking) this.#drop(key, line, text);
      else line.allAliveUntilMs = Math.min(line.allAliveUntilMs, aliveUntilMs);
    }
    return line;
  }

  // As a set of Redis is gone with its last member, and with it how long it would have lived.
  #drop(key: string, line: Line, text: string): void {
    line.places.delete(text);
    if (line.places.size === 0) this.#lines.delete(key);
  }

  #stand(key: string, line: Line, member: LineMember, aliveUntilMs: number): void {
    const text = memberText(member);
    const place = line.places.get(text);
    const size = line.places.size + (place === undefined ? 1 : 0);
    const expiresAtMs = Math.max(aliveUntilMs, this.#lines.expiresAtMs(key) ?? 0);
    this.#lines.set(key, line, lineBytes + size * placeBytes, expiresAtMs);
    line.allAliveUntilMs = Math.min(line.allAliveUntilMs, aliveUntilMs);
    if (place === undefined) line.places.set(text, { member, aliveUntilMs });
    else place.aliveUntilMs = aliveUntilMs;
  }

  #wake({ owner, id }: LineMember, topic: (id: string) => string): void {
    this.#store.bus.publish(this.#keys.wake(owner), topic(id));
  }
}

// The first before `text` that keeps it from its turn.
function blocker(line: Line, text: string, blocks: (before: LineMember) => boolean): Place | undefined {
  for (const [standing, place] of line.places) {
    if (standing === text) return undefined;
    if (blocks(place.member)) return place;
  }
  return undefined;
}

function firstOf(line: Line): string | undefined {
  return line.places.keys().next().value;
}
