import type { Stored } from '../../codec/stored.js';
import type { Log } from '../../log.js';
import { type Bus, type BusListener, deliver, type Unsubscribe } from '../bus.js';

/** The bus of a store, and beside it what is told in this process while the store is away. */
export class AwayBus implements Bus {
  readonly #store: Bus;
  readonly #log: Log;
  readonly #listeners = new Map<string, Set<BusListener>>();

  constructor(store: Bus, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  subscribe(channel: string, listener: BusListener): Promise<Unsubscribe> {
    return this.#store.subscribe(channel, listener);
  }

  onBroken(listener: () => void): Unsubscribe {
    return this.#store.onBroken(listener);
  }

  onRestored(listener: () => void): Unsubscribe {
    return this.#store.onRestored(listener);
  }

  onLocal(channel: string, listener: BusListener): Unsubscribe {
    const own: BusListener = (message) => listener(message);
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(own));
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }

  /** Tells those who listen for what is local. */
  tell(channel: string, message: Stored): void {
    for (const listener of [...(this.#listeners.get(channel) ?? [])]) deliver(this.#log, listener, message);
  }
}
