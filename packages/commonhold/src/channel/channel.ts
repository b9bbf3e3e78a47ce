import type { Stored } from '../codec/stored.js';
import type { AwayChoices } from '../away.js';
import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { type MessageFormat, type MessageRules, parseFrame, type StoredMessage } from '../message-frame.js';
import { isMessageId, originId } from '../message-id.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { type ChannelAddress, channelKey, type ChannelPort } from './channel-port.js';
import { encodeJsonMessage } from './json-message.js';
import { type ChannelMessage, messagesOf } from '../message-iteration.js';
import { replay } from './replay.js';
import { checkOf, decodeChecked, type SchemaOption, type ValueCheck } from '../schema.js';
import { ChannelSubscription, type Feed, type MessageListener, type Subscription } from './subscription.js';
import type { SubscriptionSet } from './subscription-set.js';

/** Every process that publishes or subscribes to one channel gives the same options. */
export interface ChannelOptions {
  /** How long a message can be replayed. Default one hour. The newest stays until nothing was published for so long. */
  readonly keep?: Duration;
  /** How many messages can be replayed, 1 to 1,000,000. Default 1,000. */
  readonly keepCount?: number;
  /**
   * For a channel that other programs know: stream and pub/sub channel are then both called `<prefix>:<name>`, without
   * the namespace. 1 to 256 visible ASCII characters.
   */
  readonly prefix?: string;
  /**
   * What is published: `framed` (default) takes every value; `json` takes plain objects without members `id` and
   * `previous` and publishes JSON text with those two put first, for programs that subscribe with a plain Redis client.
   */
  readonly format?: MessageFormat;
  /**
   * Without the store: `memory` tells the subscribers of this process, who hear that it is `local`, and keeps nothing;
   * `throw` rejects with `Unavailable`. Default `memory`.
   */
  readonly away?: AwayChoices['channel'];
}

/** Where to begin, and whom to tell when something is missing. */
export interface SubscribeOptions {
  /** The id of the last message seen: begin with what was published after it. `0-0`: with the oldest kept. */
  readonly after?: string;
  /**
   * Called when messages may be missing: they were removed before they could be read, the server lost its data, or the
   * store was away when the subscription began. Delivery goes on from what exists once this has settled.
   */
  readonly onResync?: () => void | Promise<void>;
  /** Ends the subscription, as `close()` does. */
  readonly signal?: AbortSignal;
}

/** Which messages to go through. */
export interface MessagesOptions extends Pick<SubscribeOptions, 'after' | 'onResync'> {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

/** Which part of the history. */
export interface HistoryOptions {
  /** The id of the last message seen. Default: from the oldest kept. */
  readonly after?: string;
  /** At most so many messages, 1 to 1,000. Default 100. */
  readonly limit?: number;
}

/** Messages of a channel, oldest first. */
export interface ChannelHistory<Message> {
  readonly messages: readonly { readonly id: string; readonly message: Message }[];
  /** False when messages that came right after `after` (or, without it, at the beginning) are gone or cannot be read. */
  readonly complete: boolean;
}

const optionNames = {
  keep: true,
  keepCount: true,
  prefix: true,
  format: true,
  away: true,
} satisfies OptionNames<ChannelOptions>;
const subscribeNames = { after: true, onResync: true, signal: true } satisfies OptionNames<SubscribeOptions>;
const historyNames = { after: true, limit: true } satisfies OptionNames<HistoryOptions>;

/**
 * Publish and subscribe without loss: messages go through a stream, so that one who was away reads what was missed, and
 * every subscriber sees the same messages in the same order, each once.
 *
 * A message is what JSON holds, and also Date, Map, Set, BigInt, bytes and typed arrays; in format `json`, a plain object.
 * Its id is `<ms>-<seq>`, where ms is the server's time in milliseconds since 1970; ids of one channel only grow.
 */
export class Channel<Message> {
  readonly #name: string;
  readonly #address: ChannelAddress;
  readonly #rules: MessageRules;
  readonly #port: ChannelPort;
  readonly #context: FeatureContext;
  readonly #subscriptions: SubscriptionSet;
  readonly #feed: Feed<Message>;
  readonly #check: ValueCheck<Message> | undefined;

  /** Use `state.channel(name, options)`. */
  constructor(
    name: string,
    { schema, ...options }: ChannelOptions & SchemaOption<Message>,
    port: ChannelPort,
    context: FeatureContext,
    subscriptions: SubscriptionSet,
  ) {
    checkOptionNames(`channel ${name}`, options, optionNames);
    this.#check = checkOf(schema, `channel ${name}`);
    this.#name = name;
    this.#address = { name, prefix: options.prefix };
    this.#rules = resolveRules(options);
    this.#port = port;
    this.#context = context;
    this.#subscriptions = subscriptions;
    this.#feed = this.#openFeed(channelKey(context.keys, this.#address));
  }

  /**
   * Publishes `message` and returns its id. Rejects with `Unavailable` when nothing was published for certain, and with
   * `OutcomeUnknown` when it may have been: publishing again may then deliver it twice. Without the store it resolves to
   * `'local'`, unless the channel is to throw: the subscribers of this process alone are told, and it is in no history.
   */
  async publish(message: Message): Promise<string> {
    return this.#port.append(this.#address, this.#encode(message), this.#rules);
  }

  /**
   * Calls `listener` for each message: first those after `after`, then those published from the moment the promise
   * resolves, each once, in the stream's order. The next call waits until the promise it returned has settled; one that
   * throws is logged and does not stop the rest. A listener that is slower than the publishers falls back to reading the
   * stream, so memory stays bounded.
   *
   * Breaks of the link are mended by reading what was missed. Where that is gone, `onResync` is called. While the store is
   * away the promise resolves all the same, and messages come when it is back.
   */
  async subscribe(listener: MessageListener<Message>, options: SubscribeOptions = {}): Promise<Subscription> {
    checkOptionNames(`channel ${this.#name}, subscribe`, options, subscribeNames);
    const after = checkId(options.after);
    const onResync = options.onResync ?? ((): void => undefined);
    const listening = { listener, onResync, after };
    options.signal?.throwIfAborted();
    const subscription = new ChannelSubscription(this.#feed, listening, this.#subscriptions, this.#context);
    subscription.closeOn(options.signal);
    await subscription.open();
    return subscription;
  }

  /**
   * The messages one after the other, as they are asked for: `for await (const { message } of channel.messages())`. Begins
   * when the first is asked for, and ends with `signal`, `break` or the state. While nobody asks up to 100 messages or 1 MiB
   * wait here; what does not fit is read from the stream afterwards, so that nothing is missed until it is no longer kept:
   * `onResync` is then called before the next message comes.
   */
  messages(options: MessagesOptions = {}): AsyncGenerator<ChannelMessage<Message>, void, undefined> {
    checkOptionNames(`channel ${this.#name}, messages`, options, subscribeNames);
    checkId(options.after);
    const { signal, ...from } = options;
    return messagesOf(
      (listener) => this.subscribe(listener, from),
      signal,
      (end) => this.#subscriptions.onClose(end),
    );
  }

  /** Messages after a given one. For the next page, give the id of the last one. */
  async history(options: HistoryOptions = {}): Promise<ChannelHistory<Message>> {
    checkOptionNames(`channel ${this.#name}, history`, options, historyNames);
    const id = checkId(options.after) ?? originId;
    const limit = checkWhole('history limit', options.limit ?? 100, 1_000);
    const { keepMs } = this.#rules;
    const unseenMs = id === originId ? 0 : Infinity;
    const found = await replay(this.#feed.read, { id, keepMs, unseenMs, silentMs: 0 }, limit);
    const messages = (await Promise.all(found.messages.map((stored) => this.#readable(stored)))).flat();
    return { messages, complete: found.complete && messages.length === found.messages.length };
  }

  #openFeed(key: string): Feed<Message> {
    return {
      name: this.#name,
      keepMs: this.#rules.keepMs,
      listenLocal: (receive) => this.#context.bus.onLocal?.(key, receive),
      listen: (receive) => this.#context.bus.subscribe(key, receive),
      parse: (published) => parseFrame(this.#rules.format, published),
      read: (from, limit) => this.#port.read(this.#address, from, limit),
      newest: () => this.#port.newest(this.#address),
      decode: (body) => this.#decode(body),
    };
  }

  async #readable({ id, body }: StoredMessage): Promise<{ id: string; message: Message }[]> {
    try {
      return [{ id, message: await this.#decode(body) }];
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      this.#context.log.error(
        { channel: this.#name, id, code: error.code },
        'a message cannot be read and is left out',
      );
      return [];
    }
  }

  #decode(body: Stored): Message | Promise<Message> {
    return decodeChecked(this.#context.codec, this.#check, body, `A message of channel ${this.#name}`);
  }

  #encode(given: Message): Stored {
    const what = `A message of channel ${this.#name}`;
    const message = this.#check === undefined ? given : this.#check(given, what);
    if (message === undefined) throw new InvalidArgumentError(what, 'a value', message);
    const { codec } = this.#context;
    return this.#rules.format === 'json' ? encodeJsonMessage(message, what, codec) : codec.encode(message, what);
  }
}

function resolveRules({ keep, keepCount, format }: ChannelOptions): MessageRules {
  if (format !== undefined && format !== 'framed' && format !== 'json') {
    throw new InvalidArgumentError('channel format', "'framed' or 'json'", format);
  }
  return {
    keepMs: durationMs(keep ?? '1h', 'channel keep'),
    keepCount: checkWhole('channel keepCount', keepCount ?? 1_000, 1_000_000),
    format: format ?? 'framed',
  };
}

function checkWhole(where: string, count: number, most: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new InvalidArgumentError(where, `a whole number from 1 to ${most}`, count);
}

function checkId(after: string | undefined): string | undefined {
  if (after === undefined || isMessageId(after)) return after;
  throw new InvalidArgumentError('after', 'the id of a message, such as 1700000000000-0', after);
}
