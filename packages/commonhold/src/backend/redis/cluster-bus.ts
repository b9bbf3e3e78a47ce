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
  readonly #restored = new Set<() => void>();
  #home: Bus | undefined;
  #leaveHome: Unsubscribe | undefined;

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

  onRestored(listener: () => void): Unsubscribe {
    const own = (): void => listener();
    this.#restored.add(own);
    return () => void this.#restored.delete(own);
  }

  /** Moves every subscription to `home`, if that is another one, and tells the listeners that messages may be missed. */
  async moveTo(home: Bus): Promise<void> {
    if (home === this.#home) return;
    this.#leaveHome?.();
    this.#home = home;
    this.#leaveHome = home.onRestored(() => this.restored());
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
    for (const listener of [...this.#restored]) deliver(this.#log, listener, '');
  }
}

function end(attached: Promise<Unsubscribe> | undefined): void {
  void attached?.then((unsubscribe) => unsubscribe());
}
