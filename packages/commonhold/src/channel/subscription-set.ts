import type { Bus, Unsubscribe } from '../backend/bus.js';
import type { Clock } from '../clock.js';
import { ClosedError } from '../errors.js';

/** What the set tells its members. */
export interface Interruptible {
  /** The link broke and is back: what was published since `wholeUntilMs` (monotonic) may have been missed. */
  interrupt(wholeUntilMs: number): void;
  close(): void;
}

/** Reads under way at once: thousands of subscriptions catch up after a break and must leave room for other calls. */
const mostReads = 64;

/** All subscriptions of one state: tells them of breaks of the link, limits what they read at once, closes them. */
export class SubscriptionSet {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #members = new Set<Interruptible>();
  readonly #onClose = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  #reads = 0;
  /** When the last read that succeeded was sent: the link, which brings the messages too, was whole until then. */
  #wholeUntilMs = -Infinity;
  #unwatch: Unsubscribe | undefined;
  #closed = false;

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** @throws ClosedError after `close()`. */
  add(member: Interruptible): void {
    if (this.#closed) throw new ClosedError('This state');
    this.#members.add(member);
    this.#unwatch ??= this.#bus.onRestored(() => this.#interrupt());
  }

  /** Calls `close` when the set closes, unless what this returns was called before. @throws ClosedError after that. */
  onClose(close: () => void): () => void {
    if (this.#closed) throw new ClosedError('This state');
    this.#onClose.add(close);
    return () => void this.#onClose.delete(close);
  }

  remove(member: Interruptible): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  /** Runs `read` when it is its turn. */
  async read<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#reads < mostReads) this.#reads++;
    else await new Promise<void>((resolve) => this.#waiting.add(resolve));
    const sentAtMs = this.#clock.monotonic();
    try {
      const result = await read();
      this.#wholeUntilMs = Math.max(this.#wholeUntilMs, sentAtMs);
      return result;
    } finally {
      this.#passTurn();
    }
  }

  /** The store lost data: nobody knows since when, so only the stream itself can prove that nothing is missing. */
  lost(): void {
    for (const member of this.#members) member.interrupt(-Infinity);
  }

  /** Closes every subscription and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const member of this.#members) member.close();
    for (const close of this.#onClose) close();
    this.#onClose.clear();
  }

  #interrupt(): void {
    for (const member of this.#members) member.interrupt(this.#wholeUntilMs);
  }

  #passTurn(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#reads--;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
