import { describe, expect, it } from 'vitest';
import type { Bus, BusListener } from '../../../src/backend/bus.js';
import { ClusterBus } from '../../../src/backend/redis/cluster-bus.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A node's bus, as far as messages go. */
class Node implements Bus {
  readonly #listeners = new Map<string, Set<BusListener>>();
  readonly #broken = new Set<() => void>();
  readonly #restored = new Set<() => void>();

  subscribe(channel: string, listener: BusListener): Promise<() => void> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    return Promise.resolve(() => void listeners.delete(listener));
  }

  onBroken(listener: () => void): () => void {
    this.#broken.add(listener);
    return () => void this.#broken.delete(listener);
  }

  onRestored(listener: () => void): () => void {
    this.#restored.add(listener);
    return () => void this.#restored.delete(listener);
  }

  publish(channel: string, message: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(message);
  }

  break(): void {
    for (const listener of this.#broken) listener();
  }

  restore(): void {
    for (const listener of this.#restored) listener();
  }
}

function setUp(): { bus: ClusterBus; nodes: readonly [Node, Node]; heard: string[] } {
  const heard: string[] = [];
  const bus = new ClusterBus(log);
  bus.onRestored(() => void heard.push('restored'));
  return { bus, nodes: [new Node(), new Node()], heard };
}

describe('ClusterBus', () => {
  it('tells of breaks of its home and of a move, and of none of a home it left', async () => {
    const bus = new ClusterBus(log);
    const [first, second] = [new Node(), new Node()];
    let breaks = 0;
    const leave = bus.onBroken(() => void breaks++);
    await bus.moveTo(first);
    first.break();
    expect(breaks).toBe(1);
    await bus.moveTo(second);
    expect(breaks).toBe(2);
    first.break();
    second.break();
    expect(breaks).toBe(3);
    leave();
    second.break();
    expect(breaks).toBe(3);
  });

  it('hears on its home alone, and on the next one when it moves', async () => {
    const { bus, nodes, heard } = setUp();
    const [one, other] = nodes;
    await bus.moveTo(one);
    await bus.subscribe('c', (message) => void heard.push(String(message)));
    for (const node of nodes) node.publish('c', 'first');
    expect(heard).toEqual(['first']);
    await bus.moveTo(other);
    for (const node of nodes) node.publish('c', 'second');
    expect(heard).toEqual(['first', 'restored', 'second']);
  });

  it('keeps what was asked for without a home until there is one', async () => {
    const { bus, nodes, heard } = setUp();
    await bus.subscribe('c', (message) => void heard.push(String(message)));
    const end = await bus.subscribe('d', (message) => void heard.push(String(message)));
    end();
    await bus.moveTo(nodes[0]);
    nodes[0].publish('c', 'c');
    nodes[0].publish('d', 'd');
    expect(heard).toEqual(['restored', 'c']);
  });

  it('ends a subscription wherever it is, once', async () => {
    const { bus, nodes, heard } = setUp();
    await bus.moveTo(nodes[0]);
    const end = await bus.subscribe('c', (message) => void heard.push(String(message)));
    await bus.moveTo(nodes[1]);
    end();
    end();
    await Promise.resolve();
    for (const node of nodes) node.publish('c', 'x');
    expect(heard).toEqual(['restored']);
  });

  it('says that messages may be missed when its home says so, and no longer when it has moved', async () => {
    const { bus, nodes, heard } = setUp();
    await bus.moveTo(nodes[0]);
    nodes[0].restore();
    await bus.moveTo(nodes[1]);
    nodes[0].restore();
    expect(heard).toEqual(['restored']);
    nodes[1].restore();
    await bus.moveTo(nodes[1]);
    expect(heard).toEqual(['restored', 'restored']);
  });
});
