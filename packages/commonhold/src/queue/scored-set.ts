/**
 * A set ordered by score, then by member, as Redis orders one. Adding behind all others and taking the first cost the
 * same however many there are; in between, a binary search and a move.
 */
export class ScoredSet {
  readonly #scores = new Map<string, number>();
  #order: string[] = [];
  /** Places at the front of the array whose members are gone. */
  #head = 0;

  get size(): number {
    return this.#scores.size;
  }

  /** Sets the score of `member`, which need not be there. */
  set(member: string, score: number): void {
    this.delete(member);
    this.#scores.set(member, score);
    const place = this.#placeOf(member, score);
    if (place === this.#order.length) this.#order.push(member);
    else this.#order.splice(place, 0, member);
  }

  score(member: string): number | undefined {
    return this.#scores.get(member);
  }

  /** Returns whether it was there. */
  delete(member: string): boolean {
    const score = this.#scores.get(member);
    if (score === undefined) return false;
    const place = this.#placeOf(member, score);
    if (place === this.#head) this.#head++;
    else this.#order.splice(place, 1);
    if (this.#head > 1_024 && this.#head * 2 > this.#order.length) this.#dropHead();
    return this.#scores.delete(member);
  }

  /** Members from the lowest score up, as they are now; at most `limit` of them. */
  members(limit: number = Infinity): readonly string[] {
    return this.#order.slice(this.#head, this.#head + limit);
  }

  /** Removes and returns the member with the highest score. */
  popHighest(): string | undefined {
    if (this.size === 0) return undefined;
    const member = this.#order.pop();
    if (member !== undefined) this.#scores.delete(member);
    return member;
  }

  /** The member with the lowest score that is not `except`. */
  lowest(except?: string): string | undefined {
    const first = this.#order[this.#head];
    return first === except ? this.#order[this.#head + 1] : first;
  }

  /** At most `limit` members whose score is at most `score`, from the lowest up. */
  upTo(score: number, limit: number = Infinity): readonly string[] {
    const found: string[] = [];
    for (let place = this.#head; place < this.#order.length && found.length < limit; place++) {
      const member = this.#order[place] as string;
      if ((this.#scores.get(member) as number) > score) break;
      found.push(member);
    }
    return found;
  }

  /** How many members have at least `score`. */
  countFrom(score: number): number {
    return this.#order.length - this.#placeOf('', score);
  }

  // The first place whose member does not come before (score, member).
  #placeOf(member: string, score: number): number {
    let low = this.#head;
    let high = this.#order.length;
    const last = this.#order[high - 1];
    if (high > low && last !== undefined && this.#isBefore(last, member, score)) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#isBefore(this.#order[middle] as string, member, score)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isBefore(other: string, member: string, score: number): boolean {
    const otherScore = this.#scores.get(other) as number;
    return otherScore < score || (otherScore === score && other < member);
  }

  #dropHead(): void {
    this.#order = this.#order.slice(this.#head);
    this.#head = 0;
  }
}
