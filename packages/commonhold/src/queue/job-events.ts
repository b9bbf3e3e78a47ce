import { checkOptionNames, type OptionNames } from '../option-names.js';

/** Which events, and from where on. */
export interface EventsOptions {
  /** Only those of jobs that concern it. Default: of all jobs. */
  readonly topic?: string;
  /** The id of the last event seen: begin with the one after it, which is kept for an hour. Default: with the next one. */
  readonly after?: string;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

/** A change of a job with its place in the stream of events. */
export interface JobEvent<Notice> {
  /** Give it as `after` to go on from here. */
  readonly id: string;
  readonly event: Notice;
}

/** A channel, as far as it is read here. */
interface Messages<Message> {
  subscribe(
    listener: (message: Message, id: string) => Promise<void>,
    options: { readonly after?: string },
  ): Promise<{ close(): void }>;
}

const eventsNames = { topic: true, after: true, signal: true } satisfies OptionNames<EventsOptions>;

/** @throws InvalidArgumentError naming the option that there is not. */
export function checkEventsOptions(options: EventsOptions): void {
  checkOptionNames('queue events', options, eventsNames);
}

/**
 * The messages of a channel one at a time, as they are asked for. While nobody asks the channel waits and reads its stream
 * afterwards, so that memory stays bounded. `onOpen` is given a way to end the iteration, and returns what undoes it.
 */
export async function* eventsOf<Notice>(
  channel: Messages<Notice>,
  { after, signal }: EventsOptions,
  onOpen: (end: () => void) => () => void,
): AsyncGenerator<JobEvent<Notice>, void, undefined> {
  const handing = new HandOver<JobEvent<Notice>>();
  const end = (): void => handing.end();
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  const closed = onOpen(end);
  const listen = (event: Notice, id: string): Promise<void> => handing.give({ id, event });
  const subscription = await channel.subscribe(listen, after === undefined ? {} : { after });
  try {
    for (let next = await handing.take(); next !== undefined; next = await handing.take()) yield next;
  } finally {
    signal?.removeEventListener('abort', end);
    closed();
    end();
    subscription.close();
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
