/** The order in which this process sent its writes, which is not that in which it hears what became of them. */
export class WriteOrder {
  #last = 0;
  /** The oldest first. */
  readonly #underWay = new Set<number>();
  readonly #failed = new Map<string, number>();

  /** The number of the write that was sent last. */
  get last(): number {
    return this.#last;
  }

  /** A number for a write that is sent now. */
  begin(): number {
    this.#last += 1;
    this.#underWay.add(this.#last);
    return this.#last;
  }

  /** Says that something was heard of a write, or nothing will be. */
  end(number: number): void {
    this.#underWay.delete(number);
  }

  /** Whether a write up to this one is on its way. */
  isUnderWay(upTo: number): boolean {
    const [oldest = Infinity] = this.#underWay;
    return oldest <= upTo;
  }

  /** Says that a write of these entries failed, and is to be noted at once. */
  failed(ids: readonly string[], number: number): void {
    for (const id of ids) this.#failed.set(id, number);
  }

  /** The number of the write of these entries that is noted now. */
  takeFailed(ids: readonly string[]): number {
    const number = Math.max(...ids.map((id) => this.#failed.get(id) ?? this.#last));
    for (const id of ids) this.#failed.delete(id);
    return number;
  }
}
