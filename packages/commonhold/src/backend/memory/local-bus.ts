import type { Stored } from '../../codec/stored.js';
import { type Log, standardErrorLog } from '../../log.js';
import { type Bus, type BusListener, deliver, type Unsubscribe } from '../bus.js';

/** Publish and subscribe inside one process. Listeners run after the publishing step is done, in order. */
export class LocalBus implements Bus {
  readonly #log: Log;
  readonly #channels = new Map<string, Set<BusListener>>();

  constructor(log: Log = standardErrorLog) {
    this.#log = log;
  }

  publish(channel: string, message: Stored): void {
    const listeners = this.#channels.get(channel);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      queueMicrotask(() => {
        if (listeners.has(listener)) deliver(this.#log, listener, message);
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
  onBroken(): Unsubscribe {
    return () => undefined;
  }

  onRestored(): Unsubscribe {
    return () => undefined;
  }
}
