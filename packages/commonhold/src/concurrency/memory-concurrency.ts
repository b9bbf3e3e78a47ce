import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { WaitingLines } from '../backend/memory/waiting-line.js';
import type { Keys } from '../keys.js';
import { type LineMember, memberText, type TurnToCome } from '../line-member.js';
import { type ConcurrencyCount, type ConcurrencyPort, type SlotGrant, slotTopic } from './concurrency-port.js';

/** When the lease of each holder ends, by its text. */
type Slots = ReadonlyMap<string, number>;

const slotsBytes = 100;
const slotBytes = 150;

/** Holders in one table, with a table of lines beside it. */
export class MemoryConcurrency implements ConcurrencyPort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #slots: ExpiringTable<Slots>;
  readonly #lines: WaitingLines;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#slots = store.table('concurrency');
    this.#lines = new WaitingLines(store, keys, 'concurrency-line');
  }

  async acquire(
    limiter: string,
    subject: string,
    member: LineMember,
    limit: number,
    leaseMs: number,
    waitMs: number,
  ): Promise<SlotGrant | TurnToCome> {
    const key = this.#key(limiter, subject);
    const slots = this.#held(key);
    if (!slots.has(memberText(member))) {
      const wait = this.#lines.takeTurn(key, member, waitMs, busyUntilMs(slots, limit));
      if (wait !== undefined) return { state: 'wait', ...wait };
    }
    this.#hold(key, slots, member, leaseMs);
    this.#lines.leave(key, member);
    if (this.#held(key).size < limit) this.#wake(key, limiter, subject);
    return { state: 'held' };
  }

  async renew(limiter: string, subject: string, member: LineMember, leaseMs: number): Promise<boolean> {
    const key = this.#key(limiter, subject);
    const slots = this.#held(key);
    if (!slots.has(memberText(member))) return false;
    this.#hold(key, slots, member, leaseMs);
    return true;
  }

  async release(limiter: string, subject: string, member: LineMember): Promise<boolean> {
    const key = this.#key(limiter, subject);
    const slots = this.#held(key);
    const held = slots.delete(memberText(member));
    if (held) this.#write(key, slots);
    this.#lines.leave(key, member);
    this.#wake(key, limiter, subject);
    return held;
  }

  async count(limiter: string, subject: string): Promise<ConcurrencyCount> {
    const key = this.#key(limiter, subject);
    return { used: this.#held(key).size, waiting: this.#lines.count(key) };
  }

  #key(limiter: string, subject: string): string {
    return this.#keys.tagged('concurrency', limiter, subject);
  }

  #held(key: string): Map<string, number> {
    const now = this.#store.now();
    return new Map([...(this.#slots.get(key) ?? [])].filter(([, endsAtMs]) => now <= endsAtMs));
  }

  #hold(key: string, slots: Slots, member: LineMember, leaseMs: number): void {
    this.#write(key, new Map(slots).set(memberText(member), this.#store.now() + leaseMs));
  }

  #write(key: string, slots: Slots): void {
    if (slots.size === 0) return void this.#slots.delete(key);
    this.#slots.set(key, slots, slotsBytes + slots.size * slotBytes, Math.max(...slots.values()));
  }

  #wake(key: string, limiter: string, subject: string): void {
    this.#lines.wakeFirst(key, (id) => slotTopic(limiter, subject, id));
  }
}

// The earliest moment at which fewer than `limit` are held, if all stop renewing.
function busyUntilMs(slots: Slots, limit: number): number | undefined {
  return [...slots.values()].toSorted((one, other) => one - other)[slots.size - limit];
}
