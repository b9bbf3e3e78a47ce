import { onAbort } from './abort.js';

/** A message with its place in the stream. */
export interface ChannelMessage<Message> {
  /** Give it as `after` to go on from here. */
  readonly id: string;
  readonly message: Message;
  /** Told to this process alone, since the store was away; the id is then that of the message before it. */
  readonly local?: true;
}

/** Begins to listen; resolves with how to stop. */
type Listen<Message> = (
  listener: (message: Message, id: string, local?: true) => Promise<void>,
) => Promise<{ readonly close: () => void }>;

/**
 * The messages that `listen` brings, one at a time, as they are asked for. While nobody asks the channel waits and reads its
 * stream afterwards, so that memory stays bounded. `onOpen` is given a way to end the iteration, and returns what undoes it.
 */
export async function* messagesOf<Message>(
  listen: Listen<Message>,
  signal: AbortSignal | undefined,
  onOpen: (end: () => void) => () => void,
): AsyncGenerator<ChannelMessage<Message>, void, undefined> {
  if (signal?.aborted) return;
  const handing = new HandOver<ChannelMessage<Message>>();
  const end = (): void => handing.end();
  const undo = [onOpen(end), onAbort(signal, end)];
  try {
    const subscription = await listen((message, id, local) =>
      handing.give(local === undefined ? { id, message } : { id, message, local }),
    );
    undo.push(() => subscription.close());
    for (let next = await handing.take(); next !== undefined; next = await handing.take()) yield next;
  } finally {
    end();
    for (const step of undo) step();
  }
}

/** Hands items from one who gives to one who takes, who waits for each other. */
class HandOver<Item> {
  #given: { readonly item: Item; taken(): void } | undefined;
  #take: ((item: Item | undefined) => void) | undefined;
  #ended = false;

  /** Resolves when it was taken, or nobody takes any more. One at a time. */
  give(item: Item): Promise<void> {
    return new Promise((taken) => {
      if (this.#ended) return taken();
      this.#given = { item, taken };
      this.#meet();
    });
  }

  /** Undefined at the end. */
  take(): Promise<Item | undefined> {
    return new Promise((resolve) => {
      this.#take = resolve;
      this.#meet();
    });
  }

  end(): void {
    this.#ended = true;
    this.#given?.taken();
    this.#given = undefined;
    this.#meet();
  }

  #meet(): void {
    const [given, take] = [this.#given, this.#take];
    if (take === undefined || (given === undefined && !this.#ended)) return;
    this.#given = undefined;
    this.#take = undefined;
    given?.taken();
    take(given?.item);
  }
}
