/** First in, first out, except for those put first. Taking from either end costs the same however many wait. */
export class JobLine {
  #items: string[] = [];
  #head = 0;
  /** Put first, the last one put standing in front. */
  readonly #first: string[] = [];

  pushFirst(id: string): void {
    this.#first.push(id);
  }

  push(id: string): void {
    this.#items.push(id);
  }

  shift(): string | undefined {
    const first = this.#first.pop();
    if (first !== undefined) return first;
    const id = this.#items[this.#head];
    if (id === undefined) return undefined;
    this.#head++;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return id;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#first.length = 0;
  }

  /** Removes `id` wherever it stands; returns whether it stood there. */
  remove(id: string): boolean {
    const first = this.#first.indexOf(id);
    if (first >= 0) return this.#first.splice(first, 1).length > 0;
    const index = this.#items.indexOf(id, this.#head);
    return index >= 0 && this.#items.splice(index, 1).length > 0;
  }

  get length(): number {
    return this.#first.length + this.#items.length - this.#head;
  }
}
