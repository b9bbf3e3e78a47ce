import type { Channel } from '../../../src/channel/channel.js';
import type { Feature } from '../codes.js';
import { FeatureProbe } from '../probe.js';

/** A subscriber that the fault concerns, and two who publish: all that was taken must be heard, or a gap be told. */
export class ChannelProbe extends FeatureProbe {
  readonly feature: Feature = 'PS';
  readonly #heard = new Map<string, number>();
  readonly #published = new Set<string>();
  #channel: Channel<string> | undefined;
  #others: Channel<string> | undefined;
  #resyncs = 0;

  async prepare(): Promise<void> {
    this.#channel = this.place.subject.channel<string>('p');
    this.#others = this.place.other.channel<string>('p');
    await this.#channel.subscribe((text) => void this.#heard.set(text, (this.#heard.get(text) ?? 0) + 1), {
      onResync: () => void (this.#resyncs += 1),
    });
    await this.#publishedByOther('first');
    if (!(await this.soon(() => this.#heard.has('first')))) this.wrong('nothing is heard');
  }

  async round(n: number): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return;
    const text = `own ${n}`;
    await this.ask(
      'publish',
      () => channel.publish(text),
      (id) => {
        this.#published.add(text);
        return id === 'local' ? 'PL' : 'OK';
      },
    );
    await this.#publishedByOther(`other ${n}`);
  }

  async settle(): Promise<void> {
    const last = `last ${performance.now()}`;
    await this.insist('publish', async () => this.#channel?.publish(last));
    this.#published.add(last);
    const missing = (): number => [...this.#published].filter((text) => !this.#heard.has(text)).length;
    await this.soon(() => missing() === 0, this.place.loss === 'none' ? 6_000 : 3_000);
    if (!this.#heard.has(last)) this.wrong('nothing is heard any more');
    // Who is told to read anew hears what exists from its beginning.
    const again = [...this.#heard].filter(([, count]) => count > 1).map(([text]) => text);
    if (again.length > 0 && this.#resyncs === 0) this.wrong(`heard twice: ${again.join()}`);
    if (this.#resyncs > 0) this.note('RS');
    else if (missing() > 0) this.wrong(`${missing()} of ${this.#published.size} messages were missed without a word`);
    else this.note('OK');
  }

  async #publishedByOther(text: string): Promise<void> {
    try {
      // What is told to the other process alone is not for this one.
      if ((await this.#others?.publish(text)) !== 'local') this.#published.add(text);
    } catch {
      // Whether it was published is not known, or it was not.
    }
  }
}
