import type { Bus, BusListener, Unsubscribe } from '../bus.js';
import type { BufferListener } from './redis-client.js';
import type { RedisLink } from './redis-link.js';

/**
 * Subscriptions on the command connection (RESP3 allows both on one). What is wanted is kept here, and asked for again
 * on each new connection before the link counts as ready.
 */
export class RedisBus implements Bus {
  readonly #link: () => RedisLink;
  readonly #wanted = new Map<string, Set<BusListener>>();
  readonly #active = new Set<string>();
  readonly #changing = new Map<string, Promise<void>>();
  readonly #restored = new Set<() => void>();
  readonly #deliver: BufferListener = (message, channel) => this.#receive(message, channel.toString());

  /** The link is made after the bus, since greeting a connection needs both. */
  constructor(link: () => RedisLink) {
    this.#link = link;
  }

  async subscribe(channel: string, listener: BusListener): Promise<Unsubscribe> {
    const own: BusListener = (message) => listener(message);
    const listeners = this.#wanted.get(channel) ?? new Set();
    this.#wanted.set(channel, listeners.add(own));
    await this.#change(channel);
    return () => {
      listeners.delete(own);
      if (listeners.size > 0 || this.#wanted.get(channel) !== listeners) return;
      this.#wanted.delete(channel);
      void this.#change(channel);
    };
  }

  onRestored(listener: () => void): Unsubscribe {
    const own = (): void => listener();
    this.#restored.add(own);
    return () => void this.#restored.delete(own);
  }

  /** Asks for everything wanted, on a connection that is being greeted. */
  async resubscribe(): Promise<void> {
    this.#active.clear();
    const channels = [...this.#wanted.keys()];
    if (channels.length === 0) return;
    await this.#link().client.subscribe(channels, this.#deliver, true);
    for (const channel of channels) this.#active.add(channel);
  }

  /** Tells the listeners that messages may have been missed. */
  restored(): void {
    for (const listener of [...this.#restored]) listener();
  }

  // Changes of one channel go one after the other: the client forgets a channel that is subscribed again while an
  // unsubscribe is under way.
  #change(channel: string): Promise<void> {
    const before = this.#changing.get(channel) ?? Promise.resolve();
    const change = before.then(() => this.#settle(channel)).finally(() => {
      if (this.#changing.get(channel) === change) this.#changing.delete(channel);
    });
    this.#changing.set(channel, change);
    return change;
  }

  async #settle(channel: string): Promise<void> {
    const { ready, client } = this.#link();
    const wanted = this.#wanted.has(channel);
    if (!ready || wanted === this.#active.has(channel)) return;
    try {
      if (wanted) await client.subscribe([channel], this.#deliver, true);
      else await client.unsubscribe([channel], this.#deliver, true);
    } catch {
      return; // The connection broke; the next greeting asks for what is wanted.
    }
    if (wanted) this.#active.add(channel);
    else this.#active.delete(channel);
  }

  #receive(message: Buffer, channel: string): void {
    for (const listener of [...(this.#wanted.get(channel) ?? [])]) listener(message);
  }
}
