import { messagesOf } from '../message-iteration.js';
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

/** The messages of a channel of notices, as events; `onOpen` as `messagesOf` has it. */
export async function* eventsOf<Notice>(
  channel: Messages<Notice>,
  { after, signal }: EventsOptions,
  onOpen: (end: () => void) => () => void,
): AsyncGenerator<JobEvent<Notice>, void, undefined> {
  const from = after === undefined ? {} : { after };
  const messages = messagesOf<Notice>((listener) => channel.subscribe(listener, from), signal, onOpen);
  for await (const { id, message } of messages) yield { id, event: message };
}
