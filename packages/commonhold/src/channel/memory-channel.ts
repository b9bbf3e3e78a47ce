import { MessageLog } from '../backend/memory/message-log.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import type { MessageRules, StoredMessage } from '../message-frame.js';
import { type ChannelAddress, channelKey, type ChannelPort } from './channel-port.js';

/** A channel is one message log. */
export class MemoryChannel implements ChannelPort {
  readonly #log: MessageLog;
  readonly #keys: Keys;

  constructor(store: MemoryStore, keys: Keys) {
    this.#log = new MessageLog(store);
    this.#keys = keys;
  }

  async append(address: ChannelAddress, body: Stored, rules: MessageRules): Promise<string> {
    const key = channelKey(this.#keys, address);
    return this.#log.append(key, key, body, rules);
  }

  async read(address: ChannelAddress, from: string, limit: number): Promise<StoredMessage[]> {
    return this.#log.read(channelKey(this.#keys, address), from, limit);
  }

  async newest(address: ChannelAddress): Promise<string | undefined> {
    return this.#log.newest(channelKey(this.#keys, address));
  }
}
