import { JobLine } from './job-line.js';

/** A set ordered by score, then by member, as Redis orders one. A look costs nothing, a change a binary search. */
export class ScoredSet {
  readonly #scores = new Map<string, number>();
  readonly #order: string[] = [];

  get size(): number {
    return this.#order.length;
  }

  set(member: string, score: number): void {
    this.delete(member);
    this.#scores.set(member, score);
    this.#order.splice(this.#place(member, score), 0, member);
  }

  score(member: string): number | undefined {
    return this.#scores.get(member);
  }

  delete(member: string): boolean {
    const score = this.#scores.get(member);
    if (score === undefined) return false;
    this.#order.splice(this.#place(member, score), 1);
    return this.#scores.delete(member);
  }

  /** Members from the lowest score up, as they are now. */
  members(): readonly string[] {
    return [...this.#order];
  }

  /** The member with the lowest score that is not `except`. */
  lowest(except?: string): string | undefined {
    return this.#order[0] === except ? this.#order[1] : this.#order[0];
  }

  /** Members whose score is at most `score`, from the lowest up. */
  upTo(score: number): readonly string[] {
    let end = this.#place('', score);
    while (end < this.#order.length && this.#scores.get(this.#order[end] as string) === score) end++;
    return this.#order.slice(0, end);
  }

  // The index of the first member that does not come before (score, member).
  #place(member: string, score: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#order[middle] as string;
      const otherScore = this.#scores.get(other) as number;
      if (otherScore < score || (otherScore === score && other < member)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Jobs of one priority that wait: those that were touched before stand in front of fresh ones. */
export class PriorityLine {
  readonly again: JobLine = new JobLine();
  readonly fresh: JobLine = new JobLine();
  /** Jobs that really wait; the lines may also hold cancelled ones. */
  count = 0;

  clear(): void {
    this.count = 0;
    this.again.clear();
    this.fresh.clear();
  }
}

/** All of one queue but the records of its jobs. */
export class QueueState {
  readonly lines: readonly PriorityLine[] = Array.from({ length: 11 }, () => new PriorityLine());
  readonly suspects: JobLine = new JobLine();
  readonly delayed: ScoredSet = new ScoredSet();
  readonly leases: ScoredSet = new ScoredSet();
  readonly idle: ScoredSet = new ScoredSet();
  readonly dead: ScoredSet = new ScoredSet();
  /** Owner -> ids it runs, in the order they were started. */
  readonly held: Map<string, Set<string>> = new Map();
  /** Topic -> ids in the order they were added, by sequence number. */
  readonly topics: Map<string, Map<string, number>> = new Map();
  readonly days: Map<string, { completed: number; failed: number; processingMs: number }> = new Map();
  total = 0;
  completed = 0;
  failed = 0;
  sequence = 0;
  paused = false;
}
