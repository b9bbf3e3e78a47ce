import type { Stored } from '../codec/stored.js';
import type { Log } from '../log.js';

/** Publish and subscribe as plain plumbing: no history, no order across channels, messages lost while the link is down. */
export interface Bus {
  /**
   * Calls `listener` for each message published on `channel` from the moment the promise resolves until the returned
   * function is called. While the store is away it resolves all the same and takes effect when the store is back.
   */
  subscribe(channel: string, listener: BusListener): Promise<Unsubscribe>;
  /** Calls `listener` each time the link breaks: what is published from now on is missed. */
  onBroken(listener: () => void): Unsubscribe;
  /** Calls `listener` each time the link is back after a break: messages may have been missed. */
  onRestored(listener: () => void): Unsubscribe;
  /** Calls `listener` with each message that is told to this process alone, since the store is away. */
  onLocal?(channel: string, listener: BusListener): Unsubscribe;
}

/** Hears one message. What it throws is logged and goes no further. */
export type BusListener = (message: Stored) => void;

/** Ends what it was returned for; calling it twice does nothing more. */
export type Unsubscribe = () => void;

/** Calls a listener. One that throws must harm neither its neighbours nor the connection that brought the message. */
export function deliver(log: Log, listener: BusListener, message: Stored): void {
  try {
    listener(message);
  } catch (error) {
    log.error({ error: String(error) }, 'a listener threw');
  }
}
