import { onAbort } from '../abort.js';
import type { Unsubscribe } from '../backend/bus.js';
import type { Timer } from '../clock.js';
import type { Stored } from '../codec/stored.js';
import { isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { StoredMessage } from '../message-frame.js';
import { compareIds, originId } from '../message-id.js';
import { jittered } from '../random.js';
import { MessageBuffer } from './message-buffer.js';
import { type ReadMessages, replay, type Replay } from './replay.js';
import type { Interruptible, SubscriptionSet } from './subscription-set.js';

/** What a subscriber holds. */
export interface Subscription {
  /**
   * The id of the last message whose listener has settled, or where the subscription began; give it to `after` and
   * nothing is missed. `0-0` before the first message; undefined while the store was never reached.
   */
  readonly lastId: string | undefined;
  /** Ends the subscription: no call of the listener begins any more; one under way runs to its end. May be called twice. */
  close(): void;
}

/**
 * Called for each message, one at a time. A `local` one was told to this process alone, since the store was away; its id is
 * that of the message before it, so that nothing is missed by going on from there, and empty where there was none.
 */
export type MessageListener<Message> = (message: Message, id: string, local?: true) => void | Promise<void>;

/** What a subscription needs of its channel. */
export interface Feed<Message> {
  readonly name: string;
  readonly keepMs: number;
  listen(receive: (published: Stored) => void): Promise<Unsubscribe>;
  /** What this process alone is told while the store is away. */
  listenLocal(receive: (body: Stored) => void): Unsubscribe | undefined;
  parse(published: Stored): StoredMessage | undefined;
  readonly read: ReadMessages;
  newest(): Promise<string | undefined>;
  decode(body: Stored): Message | Promise<Message>;
}

/** Who listens, and from where on. */
export interface Listening<Message> {
  readonly listener: MessageListener<Message>;
  readonly onResync: () => void | Promise<void>;
  /** The message after which to begin; undefined for what is published from now on. */
  readonly after: string | undefined;
}

const messagesPerRead = 64;
const firstRetryMs = 50;
const longestRetryMs = 2_000;

/**
 * One listener's way through a stream. Published messages wait in a bounded buffer; one loop hands them over, in one of
 * these states:
 *
 * - live: the next message names the last one seen as its predecessor and is handed over. A message that was read from
 *   the stream before is dropped. Any other message shows a gap: behind.
 * - behind: entered by a gap, by a full buffer (which is emptied), by a break of the link, and at the start. Reads the
 *   stream from the last message seen, page by page, until a page is not full: live. When the stream cannot prove that
 *   nothing is missing, the listener is told to resync, once, and goes on with what exists.
 * - stalled: entered when a read failed; published messages go on to the buffer. Left when the link is back, or after a
 *   jittered 50 ms to 2 s: behind.
 * - closed: never left.
 */
export class ChannelSubscription<Message> implements Subscription, Interruptible {
  readonly #feed: Feed<Message>;
  readonly #listening: Listening<Message>;
  readonly #set: SubscriptionSet;
  readonly #context: FeatureContext;
  readonly #buffer = new MessageBuffer();
  readonly #local = new MessageBuffer();
  #lastId: string | undefined;
  #lastMovedAtMs = 0;
  /** What came after this and is not after `lastId` was read from the stream and may still come a second time, live. */
  #lastLiveId = originId;
  /** Since when messages may be missing, on the monotonic clock; undefined while nothing is. */
  #certainUntilMs: number | undefined;
  #resyncDue = false;
  #behind = true;
  #busy = false;
  #closed = false;
  #retry: Timer | undefined;
  #failures = 0;
  #unsubscribe: Unsubscribe = () => undefined;
  #unsubscribeLocal: Unsubscribe | undefined;
  #leaveSignal: () => void = () => undefined;

  constructor(feed: Feed<Message>, listening: Listening<Message>, set: SubscriptionSet, context: FeatureContext) {
    this.#feed = feed;
    this.#listening = listening;
    this.#set = set;
    this.#context = context;
    if (listening.after === undefined) return;
    this.#moveTo(listening.after);
    // How long ago the subscriber saw that message, nobody knows.
    this.#fallBehind(listening.after === originId ? context.clock.monotonic() : -Infinity);
  }

  get lastId(): string | undefined {
    return this.#lastId;
  }

  /** Resolves when messages come in, or will as soon as the store is back. */
  async open(): Promise<void> {
    this.#set.add(this);
    this.#busy = true;
    this.#unsubscribeLocal = this.#feed.listenLocal((body) => this.#receiveLocal(body));
    this.#unsubscribe = await this.#feed.listen((published) => this.#receive(published));
    if (this.#closed) return this.#unsubscribe();
    if (this.#lastId === undefined) await this.#locate();
    this.#busy = false;
    void this.#advance();
  }

  /** Has `signal` close it. */
  closeOn(signal: AbortSignal | undefined): void {
    this.#leaveSignal = onAbort(signal, () => this.close());
  }

  interrupt(wholeUntilMs: number): void {
    this.#fallBehind(wholeUntilMs);
    this.#resume();
  }

  close(): void {
    this.#closed = true;
    this.#leaveSignal();
    this.#retry?.cancel();
    this.#buffer.clear();
    this.#local.clear();
    this.#unsubscribe();
    this.#unsubscribeLocal?.();
    this.#set.remove(this);
  }

  #receive(published: Stored): void {
    if (this.#closed) return;
    const message = this.#feed.parse(published);
    if (message === undefined) {
      const { name } = this.#feed;
      return this.#context.log.warn({ channel: name }, 'something that is not a message was published on a channel');
    }
    // While the place is being found, which is when this is busy, it may be older than that: on a cluster a message goes
    // from node to node, and comes later than the answer to who published it.
    if (this.#lastId === undefined && !this.#busy) this.#moveTo(message.previous);
    if (!this.#buffer.push(message)) this.#fallBehind();
    void this.#advance();
  }

  #receiveLocal(body: Stored): void {
    if (this.#closed) return;
    if (!this.#local.push({ id: originId, previous: originId, body })) this.#resyncDue = true;
    void this.#advance();
  }

  async #advance(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (!this.#closed) {
      const local = this.#local.shift();
      if (local !== undefined) {
        await this.#deliverLocal(local);
        continue;
      }
      if (this.#retry !== undefined) break;
      const message = this.#behind ? undefined : this.#buffer.shift();
      if (message !== undefined) await this.#takeLive(message);
      else if (this.#behind) await this.#catchUp();
      else break;
    }
    this.#busy = false;
  }

  async #takeLive(message: StoredMessage): Promise<void> {
    if (message.previous === this.#lastId) {
      await this.#deliver(message);
      this.#lastLiveId = message.id;
    } else if (!this.#wasRead(message.id)) this.#fallBehind();
  }

  #wasRead(id: string): boolean {
    return compareIds(id, this.#lastLiveId) > 0 && compareIds(id, this.#lastId ?? originId) <= 0;
  }

  #catchUp(): Promise<void> {
    return this.#lastId === undefined ? this.#locate() : this.#fill(this.#lastId);
  }

  // Finds the place from which messages are owed to one who did not name any.
  async #locate(): Promise<void> {
    const found = await this.#read(async () => ({ newest: await this.#feed.newest() }));
    if (found === undefined) this.#resyncDue = true;
    else if (this.#lastId === undefined) this.#moveTo(found.newest ?? originId);
    if (found !== undefined && this.#resyncDue) await this.#resync();
  }

  async #fill(lastId: string): Promise<void> {
    const readAtMs = this.#context.clock.monotonic();
    const found = await this.#read(() => this.#replay(lastId, readAtMs));
    if (found === undefined) return;
    this.#certainUntilMs = undefined;
    if (!found.complete) {
      this.#moveTo(originId);
      this.#resyncDue = true;
    }
    if (this.#resyncDue) await this.#resync();
    if (found.messages.length === messagesPerRead) this.#fallBehind(readAtMs);
    for (const message of found.messages) {
      if (this.#closed) return;
      await this.#deliver(message);
    }
  }

  #replay(lastId: string, nowMs: number): Promise<Replay> {
    const position = {
      id: lastId,
      keepMs: this.#feed.keepMs,
      unseenMs: this.#certainUntilMs === undefined ? 0 : nowMs - this.#certainUntilMs,
      silentMs: nowMs - this.#lastMovedAtMs,
    };
    return replay(this.#feed.read, position, messagesPerRead);
  }

  // Undefined when it failed and will be tried again, or when it is no longer wanted.
  async #read<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
    this.#behind = false;
    try {
      const result = await this.#set.read(read);
      this.#failures = 0;
      return this.#closed ? undefined : result;
    } catch (error) {
      this.#behind = true;
      if (!this.#closed) this.#stall(error);
      return undefined;
    }
  }

  #stall(error: unknown): void {
    const { clock, random, log } = this.#context;
    // That the store is away has been said once for all; anything else is a fault of this channel.
    if (!(isCommonholdError(error) && error.code === 'Unavailable')) {
      log.warn({ channel: this.#feed.name, error: String(error) }, 'a channel could not be read; it is tried again');
    }
    const ceilingMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++);
    this.#retry = clock.setTimer(() => this.#resume(), jittered(random, ceilingMs));
  }

  #resume(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    void this.#advance();
  }

  async #deliver({ id, body }: StoredMessage): Promise<void> {
    const message = await this.#decode(id, body);
    if (this.#closed) return;
    if (message === undefined) await this.#resync();
    else await this.#call(() => this.#listening.listener(message.value, id), id);
    this.#lastId = id;
    this.#lastMovedAtMs = this.#context.clock.monotonic();
  }

  async #deliverLocal({ body }: StoredMessage): Promise<void> {
    const id = this.#lastId ?? '';
    const message = await this.#decode(id, body);
    if (message !== undefined && !this.#closed) {
      await this.#call(() => this.#listening.listener(message.value, id, true), id);
    }
  }

  // A newer version or another program may write what cannot be read here: for this listener that message is lost.
  async #decode(id: string, body: Stored): Promise<{ readonly value: Message } | undefined> {
    try {
      return { value: await this.#feed.decode(body) };
    } catch (error) {
      const fields = { channel: this.#feed.name, id, error: String(error) };
      this.#context.log.error(fields, 'a message cannot be read and is skipped');
      return undefined;
    }
  }

  async #resync(): Promise<void> {
    this.#resyncDue = false;
    if (!this.#closed) await this.#call(this.#listening.onResync, this.#lastId);
  }

  async #call(listener: () => void | Promise<void>, id: string | undefined): Promise<void> {
    try {
      await listener();
    } catch (error) {
      this.#context.log.error({ channel: this.#feed.name, id, error: String(error) }, 'a channel listener failed');
    }
  }

  #fallBehind(certainUntilMs: number = this.#context.clock.monotonic()): void {
    this.#certainUntilMs = Math.min(this.#certainUntilMs ?? Infinity, certainUntilMs);
    this.#behind = true;
  }

  #moveTo(id: string): void {
    this.#lastId = id;
    this.#lastLiveId = id;
    this.#certainUntilMs = undefined;
    this.#lastMovedAtMs = this.#context.clock.monotonic();
  }
}
