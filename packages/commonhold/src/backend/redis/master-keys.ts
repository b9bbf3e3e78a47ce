import { slotOf } from './slot.js';
import type { SlotTable } from './slot-table.js';

/** How many keys are tried. A master of very few slots may get none. */
const mostTried = 10_000;

/**
 * Finds for each master of a cluster the first of a row of keys that lies in a slot of its own: the same one in every
 * process that has the same picture of the cluster.
 */
export class MasterKeys<Node> {
  readonly #table: SlotTable<Node>;
  readonly #keyAt: (number: number) => string;
  #found = new Map<Node, string>();
  #generation = 0;

  constructor(table: SlotTable<Node>, keyAt: (number: number) => string) {
    this.#table = table;
    this.#keyAt = keyAt;
  }

  /** The key of `node`; undefined where it serves no slot that is known of. */
  of(node: Node): string | undefined {
    if (this.#generation !== this.#table.generation) this.#find();
    return this.#found.get(node);
  }

  #find(): void {
    const wanted = this.#table.owners().size;
    this.#generation = this.#table.generation;
    this.#found = new Map();
    for (let number = 0; this.#found.size < wanted && number < mostTried; number++) {
      const key = this.#keyAt(number);
      const node = this.#table.at(slotOf(key));
      if (node !== undefined && !this.#found.has(node)) this.#found.set(node, key);
    }
  }
}
