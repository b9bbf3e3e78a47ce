import { encodePart } from '../keys.js';
import type { LineMember, TurnToCome } from '../line-member.js';

/** A slot was given. */
export interface SlotGrant {
  readonly state: 'held';
}

/** How many slots of a subject are held, and how many wait for one. */
export interface ConcurrencyCount {
  readonly used: number;
  readonly waiting: number;
}

/**
 * The contract of the two twins that limit how many may run at once. Each method is one atomic step on one subject. Whoever
 * holds a slot holds it for `leaseMs` at a time by the store's clock; slots of the dead return when their lease has ended.
 * Those who wait stand in a line in the order they came, each for as long as it said.
 */
export interface ConcurrencyPort {
  /**
   * Gives a slot when fewer than `limit` are held and nobody waits who came before; its holder keeps the one it has.
   * Otherwise `member` stands in the line for the next `waitMs`, keeping its place, or does not with 0.
   */
  acquire(
    limiter: string,
    subject: string,
    member: LineMember,
    limit: number,
    leaseMs: number,
    waitMs: number,
  ): Promise<SlotGrant | TurnToCome>;
  /** Lets the lease begin anew; false when `member` holds no slot. */
  renew(limiter: string, subject: string, member: LineMember, leaseMs: number): Promise<boolean>;
  /**
   * Ends what `member` has, a slot or its place in the line, and wakes the one whose turn it is with {@link slotTopic}.
   * Returns whether it held a slot.
   */
  release(limiter: string, subject: string, member: LineMember): Promise<boolean>;
  count(limiter: string, subject: string): Promise<ConcurrencyCount>;
}

/** The topic on which the member `id` is woken, who waits for a slot of `subject`. */
export function slotTopic(limiter: string, subject: string, id: string): string {
  return `concurrency:${encodePart(limiter)}:${encodePart(subject)}:${id}`;
}
