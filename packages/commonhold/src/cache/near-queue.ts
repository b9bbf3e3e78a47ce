/** What a queue holds: each item is in one queue at most. */
export interface QueueItem<Item> {
  readonly bytes: number;
  before: Item | undefined;
  after: Item | undefined;
}

/** First in, first out; any item can be taken out at once. Counts items and their bytes. */
export class NearQueue<Item extends QueueItem<Item>> {
  size = 0;
  bytes = 0;
  #first: Item | undefined;
  #last: Item | undefined;

  push(item: Item): void {
    item.before = this.#last;
    item.after = undefined;
    if (this.#last === undefined) this.#first = item;
    else this.#last.after = item;
    this.#last = item;
    this.size++;
    this.bytes += item.bytes;
  }

  remove(item: Item): void {
    if (item.before === undefined) this.#first = item.after;
    else item.before.after = item.after;
    if (item.after === undefined) this.#last = item.before;
    else item.after.before = item.before;
    this.size--;
    this.bytes -= item.bytes;
  }

  shift(): Item | undefined {
    const item = this.#first;
    if (item !== undefined) this.remove(item);
    return item;
  }
}
