import type { ClusterTopology } from './cluster-topology.js';
import { slotCount } from './slot.js';

/** Which node serves each slot, as far as is known. */
export class SlotTable<Node> {
  #nodes: (Node | undefined)[] = Array.from({ length: slotCount });
  #generation = 1;

  /** Changes with each change of an owner. */
  get generation(): number {
    return this.#generation;
  }

  at(slot: number): Node | undefined {
    return this.#nodes[slot];
  }

  /** Notes a new owner of one slot. */
  move(slot: number, node: Node): void {
    if (this.#nodes[slot] === node) return;
    this.#nodes[slot] = node;
    this.#generation++;
  }

  /** Takes over a whole picture. Returns whether another set of nodes serves now. */
  install({ ranges }: ClusterTopology, nodeAt: (address: string) => Node | undefined): boolean {
    const before = this.owners();
    const next: (Node | undefined)[] = Array.from({ length: slotCount });
    for (const { first, last, address } of ranges) next.fill(nodeAt(address), first, last + 1);
    if (next.some((node, slot) => node !== this.#nodes[slot])) this.#generation++;
    this.#nodes = next;
    const after = this.owners();
    return before.size !== after.size || [...after].some((node) => !before.has(node));
  }

  /** Every node that serves a slot. */
  owners(): Set<Node> {
    const owners = new Set<Node>();
    for (const node of this.#nodes) if (node !== undefined) owners.add(node);
    return owners;
  }

  /** Whether some slot has no node. */
  get hasGap(): boolean {
    return this.#nodes.includes(undefined);
  }
}
