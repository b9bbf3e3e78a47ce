import type { MapExpectation } from './map-port.js';

/** Keys of which the last write is remembered. */
const mostKnown = 256;
/** A larger value is not worth the memory: reading it again costs little beside writing it. */
const longestKnown = 16 * 1024;

/**
 * The updates of all maps of one state. Those of one key run one after another, through whichever object they are made, so
 * that processes contend for a key and not calls; and what the last one wrote is remembered, so that the next need not
 * read. It may be out of date: a write that compares versions finds that out. Keys here name the map as well.
 */
export class UpdateTurns {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #known = new Map<string, MapExpectation>();

  /** Runs `work` when every earlier work of `key` has settled. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#last.set(key, turn);
    const end = (): void => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(end, end);
    return turn;
  }

  /** What was remembered of `key`, once. */
  takeKnown(key: string): MapExpectation | undefined {
    const known = this.#known.get(key);
    this.#known.delete(key);
    return known;
  }

  remember(key: string, written: MapExpectation): void {
    if (written.value.length > longestKnown) return;
    this.#known.delete(key);
    this.#known.set(key, written);
    if (this.#known.size <= mostKnown) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  forget(keys: readonly string[]): void {
    for (const key of keys) this.#known.delete(key);
  }
}
