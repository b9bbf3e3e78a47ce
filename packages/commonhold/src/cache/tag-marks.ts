import type { Bus, Unsubscribe } from '../backend/bus.js';
import { labelledForm } from '../codec/forms.js';
import type { Stored } from '../codec/stored.js';
import { type CachePort, markOfTopic } from './cache-port.js';

/** A value, with the marks that its tags had when it was made. */
interface Label {
  readonly tags: readonly (readonly [tag: string, mark: number])[];
  readonly value: Stored;
}

/**
 * What this process knows of the tags of one cache. Clearing a tag raises its mark, in the store and by message in every
 * process; a value carries the marks that its tags had before it was made, and counts while none of them was raised. Marks
 * only ever grow here, so that no order of messages and answers can make a cleared value count again.
 *
 * In two states:
 *
 * - behind: at first, and from the moment the link breaks. Who reads or writes a tagged value first reads all marks.
 * - level: entered by reading them while every message is heard.
 */
export class TagMarks {
  readonly #name: string;
  readonly #port: CachePort;
  readonly #marks = new Map<string, number>();
  /** What the mark of every tag is at least. */
  #least = 0;
  #level = false;
  #breaks = 0;
  #opening: Promise<void> = Promise.resolve();
  #reading: Promise<void> | undefined;
  readonly #undo: Unsubscribe[] = [];
  #closed = false;

  constructor(name: string, port: CachePort) {
    this.#name = name;
    this.#port = port;
  }

  /** Begins to hear. */
  open(bus: Bus, channel: string): void {
    this.#undo.push(bus.onBroken(() => this.#fallBehind()));
    this.#undo.push(bus.onRestored(() => this.#fallBehind()));
    this.#opening = bus
      .subscribe(channel, (topic) => this.#hear(topic.toString()))
      .then((end) => void (this.#closed ? end() : this.#undo.push(end)));
  }

  /** Resolves when the marks are those of the store; rejects as any read when they cannot be read. */
  ready(): Promise<void> {
    if (this.#level) return Promise.resolve();
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  /** What to put before a value that is made from now on: the present marks of its tags. */
  label(tags: readonly string[]): string {
    if (tags.length === 0) return '';
    const pairs = tags.flatMap((tag) => [tag, this.#markOf(tag)]);
    return `${String.fromCharCode(labelledForm)}${JSON.stringify(pairs)}\n`;
  }

  /** The value that counts: one without tags as it is, one with tags without them; undefined when a tag was cleared. */
  unlabel(stored: Stored): Stored | undefined {
    const label = readLabel(stored);
    if (label === undefined) return stored;
    let counts = true;
    for (const [tag, mark] of label.tags) {
      if (mark < this.#markOf(tag)) counts = false;
      else this.raise(tag, mark);
    }
    return counts ? label.value : undefined;
  }

  /** A tag was cleared; the empty one stands for all. */
  raise(tag: string, mark: number): void {
    if (tag === '') this.#least = Math.max(this.#least, mark);
    else if (mark > this.#markOf(tag)) this.#marks.set(tag, mark);
  }

  close(): void {
    this.#closed = true;
    for (const undo of this.#undo.splice(0)) undo();
  }

  #markOf(tag: string): number {
    return Math.max(this.#marks.get(tag) ?? 0, this.#least);
  }

  #hear(topic: string): void {
    const heard = markOfTopic(topic);
    if (heard !== undefined) this.raise(heard.tag, heard.mark);
  }

  #fallBehind(): void {
    this.#level = false;
    this.#breaks++;
  }

  async #read(): Promise<void> {
    await this.#opening;
    const breaks = this.#breaks;
    for (const [tag, mark] of await this.#port.marks(this.#name)) this.raise(tag, mark);
    this.#level = breaks === this.#breaks;
  }
}

/** A value with its label before it. */
export function labelled(label: string, value: Stored): Stored {
  if (label === '') return value;
  return typeof value === 'string' ? label + value : Buffer.concat([Buffer.from(label), value]);
}

// Undefined for a value without tags. Of a label that nobody here wrote every mark counts as too old.
function readLabel(stored: Stored): Label | undefined {
  const form = typeof stored === 'string' ? stored.charCodeAt(0) : stored[0];
  if (form !== labelledForm) return undefined;
  const end = stored.indexOf('\n');
  const value = typeof stored === 'string' ? stored.slice(end + 1) : stored.subarray(end + 1);
  return { tags: readPairs(stored.slice(1, end).toString()), value };
}

const unreadable: Label['tags'] = [['', -1]];

function readPairs(text: string): Label['tags'] {
  let pairs: unknown;
  try {
    pairs = JSON.parse(text);
  } catch {
    return unreadable;
  }
  if (!Array.isArray(pairs) || pairs.length === 0 || pairs.length % 2 !== 0) return unreadable;
  const tags: (readonly [string, number])[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const [tag, mark] = [pairs[at] as unknown, pairs[at + 1] as unknown];
    if (typeof tag !== 'string' || typeof mark !== 'number') return unreadable;
    tags.push([tag, mark]);
  }
  return tags;
}
