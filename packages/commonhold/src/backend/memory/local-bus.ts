import type { Stored } from '../../codec/stored.js';
import type { Bus, BusListener, Unsubscribe } from '../bus.js';

/** Publish and subscribe inside one process. Listeners run after the publishing step is done, in order. */
export class LocalBus implements Bus {
  readonly #channels = new Map<string, Set<BusListener>>();

  publish(channel: string, message: Stored): void {
    const listeners = this.#channels.get(channel);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      queueMicrotask(() => {
        if (listeners.has(listener)) listener(message);
      });
    }
  }

  subscribe(channel: string, listener: BusListener): Promise<Unsubscribe> {
    const own: BusListener = (message) => listener(message);
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners.add(own));
    return Promise.resolve(() => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#channels.get(channel) === listeners) this.#channels.delete(channel);
    });
  }

  // A process does not lose its link to itself.
  onRestored(): Unsubscribe {
    return () => undefined;
  }
}
