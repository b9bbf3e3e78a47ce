import { NearQueue, type QueueItem } from './near-queue.js';

/** Both bounds hold. */
export interface NearBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

class Node<Value> implements QueueItem<Node<Value>> {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  /** Reads since it came or was last spared, up to 3. */
  uses = 0;
  isMain: boolean;
  before: Node<Value> | undefined = undefined;
  after: Node<Value> | undefined = undefined;

  constructor(key: string, value: Value, bytes: number, isMain: boolean) {
    this.key = key;
    this.value = value;
    this.bytes = bytes;
    this.isMain = isMain;
  }
}

/** The share of the room in which new entries prove themselves. */
const trialShare = 0.1;
/** Entries that prove themselves in a cache of few: among a handful nothing is read twice. */
const fewestOnTrial = 32;
const mostUses = 3;
/** Bytes that an entry costs besides key and value: Map slot, node, a place among those that left. */
const nodeBytes = 200;

/**
 * A bounded cache that scans do not empty (S3-FIFO): new entries go through a small queue, and only those that were read
 * there reach the main one, where an entry that was read is spared as often. Who left the small queue unread is remembered
 * by its key, and goes straight to the main queue should it come back.
 */
export class NearStore<Value> {
  readonly #bounds: NearBounds;
  readonly #nodes = new Map<string, Node<Value>>();
  readonly #trial = new NearQueue<Node<Value>>();
  readonly #main = new NearQueue<Node<Value>>();
  #left = new Set<string>();
  /** Those that left before: in two sets, since to take the oldest out of one each time is slow. */
  #leftBefore = new Set<string>();

  constructor(bounds: NearBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#trial.bytes + this.#main.bytes;
  }

  get(key: string): Value | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    if (node.uses < mostUses) node.uses++;
    return node.value;
  }

  /** Sets `key`; one that is larger than everything is not kept. `bytes` is the size of the value. */
  set(key: string, value: Value, bytes: number): void {
    const known = this.#nodes.get(key);
    if (known !== undefined) this.#remove(known);
    const isMain = known?.isMain ?? this.#comesBack(key);
    const node = new Node(key, value, bytes + 2 * key.length + nodeBytes, isMain);
    if (node.bytes > this.#bounds.maxBytes) return;
    node.uses = known?.uses ?? 0;
    while (this.#isFull(node.bytes)) this.#evict();
    this.#nodes.set(key, node);
    (isMain ? this.#main : this.#trial).push(node);
  }

  delete(key: string): void {
    const node = this.#nodes.get(key);
    if (node !== undefined) this.#remove(node);
  }

  clear(): void {
    for (const node of this.#nodes.values()) this.#remove(node);
    this.#left.clear();
    this.#leftBefore.clear();
  }

  #isFull(bytes: number): boolean {
    return this.#nodes.size >= this.#bounds.maxEntries || this.bytes + bytes > this.#bounds.maxBytes;
  }

  #evict(): void {
    const { maxEntries, maxBytes } = this.#bounds;
    const fewest = Math.min(fewestOnTrial, maxEntries / 2);
    const crowded =
      this.#trial.size > Math.max(fewest, trialShare * maxEntries) ||
      (this.#trial.size > fewest && this.#trial.bytes > trialShare * maxBytes);
    if (crowded || this.#main.size === 0) this.#judge();
    else this.#spare();
  }

  // The oldest on trial goes to the main queue, or leaves.
  #judge(): void {
    const node = this.#trial.shift();
    if (node === undefined) return;
    if (node.uses > 0) {
      node.uses = 0;
      node.isMain = true;
      this.#main.push(node);
    } else {
      this.#nodes.delete(node.key);
      this.#remember(node.key);
    }
  }

  // The oldest of the main queue that was not read since it was last spared leaves.
  #spare(): void {
    const node = this.#main.shift();
    if (node === undefined) return;
    if (node.uses > 0) {
      node.uses--;
      this.#main.push(node);
    } else this.#nodes.delete(node.key);
  }

  #remember(key: string): void {
    this.#left.add(key);
    if (this.#left.size < this.#bounds.maxEntries / 2) return;
    this.#leftBefore = this.#left;
    this.#left = new Set();
  }

  #comesBack(key: string): boolean {
    return this.#left.delete(key) || this.#leftBefore.delete(key);
  }

  #remove(node: Node<Value>): void {
    this.#nodes.delete(node.key);
    (node.isMain ? this.#main : this.#trial).remove(node);
  }
}
