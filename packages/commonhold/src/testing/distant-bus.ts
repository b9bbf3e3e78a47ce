import type { Bus, BusListener, Unsubscribe } from '../backend/bus.js';
import type { Stored } from '../codec/stored.js';

/** The process's end of publish and subscribe with a store at a distance: who listens to what, and to breaks of the link. */
export class DistantBus implements Bus {
  readonly #ask: (channel: string) => Promise<void>;
  readonly #wanted = new Map<string, Set<BusListener>>();
  readonly #broken = new Set<() => void>();
  readonly #restored = new Set<() => void>();

  /** @param ask subscribes at the store; resolves at once while that is away. */
  constructor(ask: (channel: string) => Promise<void>) {
    this.#ask = ask;
  }

  /** What to ask for again when the link is back. */
  get channels(): readonly string[] {
    return [...this.#wanted.keys()];
  }

  async subscribe(channel: string, listener: BusListener): Promise<Unsubscribe> {
    const own: BusListener = (message) => listener(message);
    const listeners = this.#wanted.get(channel);
    if (listeners === undefined) {
      this.#wanted.set(channel, new Set([own]));
      await this.#ask(channel);
    } else listeners.add(own);
    return () => this.#leave(channel, own);
  }

  onBroken(listener: () => void): Unsubscribe {
    return watch(this.#broken, listener);
  }

  onRestored(listener: () => void): Unsubscribe {
    return watch(this.#restored, listener);
  }

  /** A message came. */
  hear(channel: string, message: Stored): void {
    for (const listener of [...(this.#wanted.get(channel) ?? [])]) listener(message);
  }

  /** Tells that messages are missed from now on. */
  broken(): void {
    for (const listener of [...this.#broken]) listener();
  }

  /** Tells that messages may have been missed. */
  restored(): void {
    for (const listener of [...this.#restored]) listener();
  }

  #leave(channel: string, listener: BusListener): void {
    const listeners = this.#wanted.get(channel);
    if (listeners?.delete(listener) && listeners.size === 0) this.#wanted.delete(channel);
  }
}

function watch(listeners: Set<() => void>, listener: () => void): Unsubscribe {
  const own = (): void => listener();
  listeners.add(own);
  return () => void listeners.delete(own);
}
