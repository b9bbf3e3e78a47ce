import { bytesReply } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import type { MessageRules, StoredMessage } from '../message-frame.js';
import { channelOperations as operations } from './channel-operations.js';
import { type ChannelAddress, channelKey, type ChannelPort } from './channel-port.js';

const publishScript = loadScript(import.meta.url, 'publish.lua');

/** An entry of a stream as XRANGE answers it: the id, then names and values of its fields in turn. */
type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** A channel is one stream with native expiry, and a pub/sub channel of the same name. */
export class RedisChannel implements ChannelPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async append(address: ChannelAddress, body: Stored, { keepMs, keepCount, format }: MessageRules): Promise<string> {
    const key = channelKey(this.#keys, address);
    const args = [key, body, String(keepMs), String(keepCount), format];
    return String(await this.#wire.run(operations.append, publishScript, [key], args));
  }

  async read(address: ChannelAddress, from: string, limit: number): Promise<StoredMessage[]> {
    const command = ['XRANGE', channelKey(this.#keys, address), from, '+', 'COUNT', String(limit)];
    const entries = (await this.#wire.command(operations.read, command, bytesReply)) as Entry[];
    return entries.flatMap(messageOf);
  }

  async newest(address: ChannelAddress): Promise<string | undefined> {
    const command = ['XREVRANGE', channelKey(this.#keys, address), '+', '-', 'COUNT', '1'];
    const [entry] = (await this.#wire.command(operations.newest, command, bytesReply)) as Entry[];
    return entry?.[0].toString();
  }
}

// Another program may add entries of its own to a documented stream; they are not messages of this channel.
function messageOf([id, [previousName, previous, bodyName, body]]: Entry): StoredMessage[] {
  if (previousName?.toString() !== 'p' || bodyName?.toString() !== 'b') return [];
  if (previous === undefined || body === undefined) return [];
  return [{ id: id.toString(), previous: previous.toString(), body }];
}
