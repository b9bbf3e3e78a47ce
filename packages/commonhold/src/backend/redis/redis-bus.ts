import type { Log } from '../../log.js';
import { type Bus, type BusListener, deliver, type Unsubscribe } from '../bus.js';
import type { BufferListener } from './redis-client.js';
import type { NodeWire } from './redis-wire.js';

/**
 * Subscriptions on the command connection (RESP3 allows both on one). The client asks by itself, on each new connection,
 * for the channels it holds; what became wanted or unwanted meanwhile is put right while that connection is greeted.
 */
export class RedisBus implements Bus {
  readonly #wire: () => NodeWire;
  readonly #log: Log;
  readonly #wanted = new Map<string, Set<BusListener>>();
  /** Channels whose subscription the client keeps up. */
  readonly #held = new Set<string>();
  readonly #changing = new Map<string, Promise<void>>();
  readonly #broken = new Set<() => void>();
  readonly #restored = new Set<() => void>();
  readonly #receive: BufferListener = (message, channel) => {
    const listeners = this.#wanted.get(channel.toString());
    for (const listener of [...(listeners ?? [])]) if (listeners?.has(listener)) deliver(this.#log, listener, message);
  };

  /** The wire is made after the bus, since greeting a connection needs both. */
  constructor(wire: () => NodeWire, log: Log) {
    this.#wire = wire;
    this.#log = log;
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

  onBroken(listener: () => void): Unsubscribe {
    const own = (): void => listener();
    this.#broken.add(own);
    return () => void this.#broken.delete(own);
  }

  onRestored(listener: () => void): Unsubscribe {
    const own = (): void => listener();
    this.#restored.add(own);
    return () => void this.#restored.delete(own);
  }

  /** Puts right, on a connection that is being greeted, what changed while there was none. */
  async resubscribe(): Promise<void> {
    const channels = new Set([...this.#wanted.keys(), ...this.#held]);
    await Promise.all([...channels].map((channel) => this.#change(channel)));
  }

  /** Tells the listeners that messages are missed from now on. */
  broken(): void {
    for (const listener of [...this.#broken]) deliver(this.#log, listener, '');
  }

  /** Tells the listeners that messages may have been missed. */
  restored(): void {
    for (const listener of [...this.#restored]) deliver(this.#log, listener, '');
  }

  // Changes of one channel go one after the other: the client forgets a channel that is subscribed again while an
  // unsubscribe is under way.
  #change(channel: string): Promise<void> {
    const before = this.#changing.get(channel) ?? Promise.resolve();
    const change = before
      .then(() => this.#settle(channel))
      .finally(() => {
        if (this.#changing.get(channel) === change) this.#changing.delete(channel);
      });
    this.#changing.set(channel, change);
    return change;
  }

  async #settle(channel: string): Promise<void> {
    const wire = this.#wire();
    const wanted = this.#wanted.has(channel);
    // Without a connection there is nobody to ask; the next greeting comes by here.
    if (wanted === this.#held.has(channel) || !wire.connected) return;
    try {
      if (wanted) await wire.subscribe([channel], this.#receive);
      else await wire.unsubscribe([channel], this.#receive);
      if (wanted) this.#held.add(channel);
      else this.#held.delete(channel);
    } catch (error) {
      // On a connection that still stands it is the server's word, such as a user without the right to the channel.
      if (wire.connected) this.#log.warn({ channel, reason: String(error) }, 'Redis refused a subscription');
    }
  }
}
