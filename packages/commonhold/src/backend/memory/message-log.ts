import type { Stored } from '../../codec/stored.js';
import { frameMessage, type MessageRules, type StoredMessage } from '../../message-frame.js';
import { compareIds, millisecondsOf, nextId, originId } from '../../message-id.js';
import type { ExpiringTable } from './expiring-table.js';
import { handOut, type MemoryStore, storedBytes } from './memory-store.js';

interface Log {
  messages: StoredMessage[];
  /** Messages at the front of the array that are gone: dropped in bulk, so that trimming does not move all each time. */
  gone: number;
  bytes: number;
}

/** Bytes that a message costs besides its body: two ids, one object, one place in an array. */
const messageOverheadBytes = 200;

/**
 * Streams of messages by key, each published as it is appended: what channels are in memory, and what a queue tells its
 * listeners with. The twin of `channel/lua/append.lua`.
 */
export class MessageLog {
  readonly #store: MemoryStore;
  readonly #logs: ExpiringTable<Log>;

  /** All logs of one store share their table. */
  constructor(store: MemoryStore) {
    this.#store = store;
    this.#logs = store.table('message-log');
  }

  /**
   * Appends `body` to the stream `key`, removes what the rules no longer keep, and publishes the message on the pub/sub
   * channel `channel`; returns its id.
   * @throws OverloadedError when the store is full. Nothing happened then.
   */
  append(key: string, channel: string, body: Stored, rules: MessageRules): string {
    const now = this.#store.now();
    const log = this.#logs.get(key) ?? { messages: [], gone: 0, bytes: 0 };
    const previous = log.messages.at(-1)?.id ?? originId;
    const message = { id: nextId(previous, now), previous, body };
    const gone = this.#countGone(log, rules, now - rules.keepMs);
    const bytes = log.bytes - sizeOf(log.messages.slice(log.gone, gone)) + sizeOf([message]);
    this.#logs.set(key, log, bytes, now + rules.keepMs);
    log.messages.push(message);
    log.bytes = bytes;
    drop(log, gone);
    this.#store.bus.publish(channel, frameMessage(rules.format, message));
    return message.id;
  }

  /** At most `limit` messages from id `from` on, that one included, oldest first. */
  read(key: string, from: string, limit: number): StoredMessage[] {
    const log = this.#logs.get(key);
    if (log === undefined) return [];
    const start = firstFrom(log, from);
    return log.messages.slice(start, start + limit).map(({ body, ...ids }) => ({ ...ids, body: handOut(body) }));
  }

  /** The id of the newest message, undefined when the stream does not exist. */
  newest(key: string): string | undefined {
    return this.#logs.get(key)?.messages.at(-1)?.id;
  }

  // Counts with the message that is about to come; that one always stays.
  #countGone(log: Log, { keepCount }: MessageRules, oldestMs: number): number {
    let gone = Math.max(log.gone, log.messages.length + 1 - keepCount);
    for (let next = log.messages[gone]; next && millisecondsOf(next.id) < oldestMs; next = log.messages[gone]) gone++;
    return gone;
  }
}

function sizeOf(messages: readonly StoredMessage[]): number {
  return messages.reduce((sum, { body }) => sum + storedBytes(body) + messageOverheadBytes, 0);
}

function drop(log: Log, gone: number): void {
  log.gone = gone;
  if (gone * 2 < log.messages.length) return;
  log.messages = log.messages.slice(gone);
  log.gone = 0;
}

function firstFrom(log: Log, from: string): number {
  let low = log.gone;
  let high = log.messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareIds((log.messages[middle] as StoredMessage).id, from) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
