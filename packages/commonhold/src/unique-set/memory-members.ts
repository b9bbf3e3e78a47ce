/** Bytes that a member costs besides its text: a slot of the Map and one of the array. Measured, rounded up. */
const memberBytes = 100;

/**
 * Members in an array, with the place of each. Reading goes from the end to the start, and a deleted member gives its
 * place to the last one: that one was read before, so reading never misses a member, though it may meet it twice.
 */
export class MemoryMembers {
  readonly #list: string[] = [];
  readonly #places = new Map<string, number>();
  #bytes = 0;

  get size(): number {
    return this.#list.length;
  }

  /** What the members cost. */
  get bytes(): number {
    return this.#bytes;
  }

  has(member: string): boolean {
    return this.#places.has(member);
  }

  /** Adds a member that is not there. */
  add(member: string): void {
    this.#places.set(member, this.#list.push(member) - 1);
    this.#bytes += costOf(member);
  }

  /** Returns whether the member was there. */
  delete(member: string): boolean {
    const place = this.#places.get(member);
    if (place === undefined) return false;
    this.#places.delete(member);
    const last = this.#list.pop() as string;
    if (last !== member) {
      this.#list[place] = last;
      this.#places.set(last, place);
    }
    this.#bytes -= costOf(member);
    return true;
  }

  /** `limit` members below place `end`, and the end of the next page, 0 after the last. */
  page(end: number, limit: number): { members: string[]; end: number } {
    const upTo = Math.min(end, this.#list.length);
    const from = Math.max(0, upTo - limit);
    return { members: this.#list.slice(from, upTo), end: from };
  }
}

/** What `member` costs in memory. */
export function costOf(member: string): number {
  return 2 * member.length + memberBytes;
}
