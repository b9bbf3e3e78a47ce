import type { Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import type { MessageRules, StoredMessage } from '../message-frame.js';

/** Which channel. */
export interface ChannelAddress {
  /** As the user gave it. */
  readonly name: string;
  /** For channels whose key other programs rely on: what stands before the name, verbatim. */
  readonly prefix: string | undefined;
}

/**
 * The contract of the two channel twins: a stream of messages, and their publication on the backend's bus. Each method
 * is one atomic step. Who subscribes does so on the bus, to {@link channelKey}, and hears each message in the format of
 * `rules.format`, after it can be read.
 */
export interface ChannelPort {
  /**
   * Appends a message, removes what `rules` no longer keeps, and publishes it. Returns its id, greater than that of every
   * message of the stream before it.
   */
  append(address: ChannelAddress, body: Stored, rules: MessageRules): Promise<string>;
  /**
   * At most `limit` messages from id `from` on, oldest first. A message whose id is `from` is included: it proves that
   * what follows it is all there.
   */
  read(address: ChannelAddress, from: string, limit: number): Promise<StoredMessage[]>;
  /** The id of the newest message; undefined when nothing was published for as long as messages are kept. */
  newest(address: ChannelAddress): Promise<string | undefined>;
}

/** In place of an id: the store was away, and only the subscribers of this process were told. */
export const localId = 'local';

/** The key of a channel's stream, which is also the name of its pub/sub channel. */
export function channelKey(keys: Keys, { name, prefix }: ChannelAddress): string {
  return prefix === undefined ? keys.tagged('channel', name) : keys.documented(prefix, name);
}
