/** Something that must be looked at when `atMs` has passed. */
export interface Due {
  readonly atMs: number;
  /** Whether anybody still wants the look: the thing may be gone, or may have planned another. */
  wanted(): boolean;
  look(): void;
}

/** A binary min-heap by `atMs`: the next thing due is found at once, adding costs O(log n). */
export class ExpiryHeap {
  #items: Due[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The earliest time of all, or undefined when empty. */
  get earliestMs(): number | undefined {
    return this.#items[0]?.atMs;
  }

  push(item: Due): void {
    const items = this.#items;
    let index = items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent] as Due;
      if (above.atMs <= item.atMs) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  }

  /** Removes and returns the earliest item if its time is before `nowMs`. */
  popBefore(nowMs: number): Due | undefined {
    const first = this.#items[0];
    if (first === undefined || first.atMs >= nowMs) return undefined;
    const last = this.#items.pop() as Due;
    if (this.#items.length > 0) this.#sink(last);
    return first;
  }

  /** Drops every item that nobody wants any more. */
  compact(): void {
    const kept = this.#items.filter((item) => item.wanted());
    this.#items = [];
    for (const item of kept) this.push(item);
  }

  #sink(item: Due): void {
    const items = this.#items;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      const right = items[child + 1];
      if (right !== undefined && right.atMs < (items[child] as Due).atMs) child++;
      const least = items[child] as Due;
      if (least.atMs >= item.atMs) break;
      items[index] = least;
      index = child;
    }
    items[index] = item;
  }
}
