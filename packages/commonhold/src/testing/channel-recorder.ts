import type { Channel, ChannelOptions, SubscribeOptions } from '../channel/channel.js';
import type { Subscription } from '../channel/subscription.js';
import type { Engine } from './engine.js';
import { waitUntil } from './waiting.js';

/** A subscriber that writes down what it hears. */
export class Recorder<Message> {
  readonly messages: Message[] = [];
  readonly ids: string[] = [];
  resyncs = 0;
  subscription: Subscription | undefined;

  async listen(channel: Channel<Message>, options: SubscribeOptions = {}): Promise<this> {
    const onResync = (): void => void this.resyncs++;
    this.subscription = await channel.subscribe(
      (message, id) => {
        this.messages.push(message);
        this.ids.push(id);
      },
      { onResync, ...options },
    );
    return this;
  }

  async heard(count: number): Promise<Message[]> {
    await waitUntil(
      () => `${count} messages, of which ${this.messages.length} came`,
      () => this.messages.length >= count,
    );
    return this.messages;
  }
}

/** The channel `c` of one more state. */
export async function openChannel<Message = number>(
  engine: Engine,
  options: ChannelOptions = {},
): Promise<Channel<Message>> {
  return (await engine.open()).channel<Message>('c', options);
}

/** Publishes in this order; resolves with the ids. */
export async function publishAll<Message>(channel: Channel<Message>, messages: readonly Message[]): Promise<string[]> {
  return Promise.all(messages.map((message) => channel.publish(message)));
}

/** The whole numbers from `from` to `to`. */
export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
