import type { Log } from '../../log.js';
import { type Bus, type BusListener, deliver, type Unsubscribe } from '../bus.js';

interface Subscription {
  readonly channel: string;
  readonly listener: BusListener;
  /** Where it was asked for last. */
  attached: Promise<Unsubscribe> | undefined;
}

/**
 * Subscriptions on one node of a cluster, the home, since what is published on one reaches all (K5). When the home goes,
 * they move to another node.
 */
export class ClusterBus implements Bus {
  readonly #log: Log;
  readonly #subscriptions = new Set<Subscription>();
  readonly #broken = new Set<() => void>();
  readonly #restored = new Set<() => void>();
  #home: Bus | undefined;
  #leaveHome: Unsubscribe[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  async subscribe(channel: string, listener: BusListener): Promise<Unsubscribe> {
    const subscription: Subscription = { channel, listener, attached: this.#home?.subscribe(channel, listener) };
    this.#subscriptions.add(subscription);
    await subscription.attached;
    return () => {
      if (this.#subscriptions.delete(subscription)) end(subscription.attached);
    };
  }

  onBroken(listener: () => void): Unsubscribe {
    return register(this.#broken, listener);
  }

  onRestored(listener: () => void): Unsubscribe {
    return register(this.#restored, listener);
  }

  /** Moves every subscription to `home`, if that is another one, and tells the listeners that messages may be missed. */
  async moveTo(home: Bus): Promise<void> {
    if (home === this.#home) return;
    for (const leave of this.#leaveHome) leave();
    if (this.#home !== undefined) this.#tell(this.#broken);
    this.#home = home;
    this.#leaveHome = [home.onBroken(() => this.#tell(this.#broken)), home.onRestored(() => this.restored())];
    const moved = [...this.#subscriptions].map((subscription) => {
      const before = subscription.attached;
      subscription.attached = home.subscribe(subscription.channel, subscription.listener);
      end(before);
      return subscription.attached;
    });
    await Promise.allSettled(moved);
    if (moved.length > 0 && home === this.#home) this.restored();
  }

  /** Tells the listeners that messages may have been missed. */
  restored(): void {
    this.#tell(this.#restored);
  }

  #tell(listeners: ReadonlySet<() => void>): void {
    for (const listener of [...listeners]) deliver(this.#log, listener, '');
  }
}

/** One entry a call, so that a listener given twice is told twice and leaves once. */
function register(listeners: Set<() => void>, listener: () => void): Unsubscribe {
  const own = (): void => listener();
  listeners.add(own);
  return () => void listeners.delete(own);
}

function end(attached: Promise<Unsubscribe> | undefined): void {
  void attached?.then((unsubscribe) => unsubscribe());
}
