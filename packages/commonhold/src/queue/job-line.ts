/**
 * First in, first out, except for what is put first. Taking from the front costs the same however much waits; removing
 * from the middle does not.
 */
export class JobLine<Item> {
  #items: Item[] = [];
  #head = 0;
  /** Put first, the last one put standing in front. */
  readonly #first: Item[] = [];

  pushFirst(item: Item): void {
    this.#first.push(item);
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    const first = this.#first.pop();
    if (first !== undefined) return first;
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#items.length || this.#head > 1_024) this.#dropHead();
    return item;
  }

  /** From the front. */
  *[Symbol.iterator](): Iterator<Item> {
    yield* this.#first.toReversed();
    yield* this.#items.slice(this.#head);
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#first.length = 0;
  }

  /** Removes `item` wherever it stands; returns whether it stood there. */
  remove(item: Item): boolean {
    const first = this.#first.indexOf(item);
    if (first >= 0) return this.#first.splice(first, 1).length > 0;
    const index = this.#items.indexOf(item, this.#head);
    return index >= 0 && this.#items.splice(index, 1).length > 0;
  }

  get length(): number {
    return this.#first.length + this.#items.length - this.#head;
  }

  #dropHead(): void {
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
