import type { Stored } from '../codec/stored.js';

/** Publish and subscribe as plain plumbing: no history, no order across channels, messages lost while the link is down. */
export interface Bus {
  /**
   * Calls `listener` for each message published on `channel` from the moment the promise resolves until the returned
   * function is called. While the store is away it resolves all the same and takes effect when the store is back.
   */
  subscribe(channel: string, listener: BusListener): Promise<Unsubscribe>;
  /** Calls `listener` each time the link is back after a break: messages may have been missed. */
  onRestored(listener: () => void): Unsubscribe;
}

export type BusListener = (message: Stored) => void;
export type Unsubscribe = () => void;
