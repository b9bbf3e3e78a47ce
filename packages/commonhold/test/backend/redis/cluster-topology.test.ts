import { describe, expect, it } from 'vitest';
import { nodeAddress, parseTopology, splitAddress } from '../../../src/backend/redis/cluster-topology.js';
import { SlotTable } from '../../../src/backend/redis/slot-table.js';

describe('parseTopology', () => {
  it('takes the master of each range, and the name by which the asked node was reached where it gives none', () => {
    const reply = [
      [0, 5, ['10.0.0.1', 7000, 'id'], ['10.0.0.9', 7001, 'id']],
      [6, 9, ['', 7001, 'id']],
      [10, 10, [null, 7002, 'id']],
      [11, 16383, ['?', 7003, 'id']],
    ];
    const addresses = parseTopology(reply, 'here').ranges.map(({ address }) => address);
    expect(addresses).toEqual(['10.0.0.1:7000', 'here:7001', 'here:7002', 'here:7003']);
    expect(parseTopology([], 'here').ranges).toEqual([]);
  });

  it.each([null, 'OK', [1], [[0, 16384, ['a', 1]]], [[-1, 5, ['a', 1]]], [[0, 5]], [[0, 5, ['a', '1']]]])(
    'refuses %j',
    (reply) => {
      expect(() => parseTopology(reply, 'here')).toThrow();
    },
  );
});

describe('an address', () => {
  it.each([
    { host: 'a', port: 1 },
    { host: '::1', port: 7000 },
  ])('of $host is put together and taken apart', (endpoint) => {
    expect(splitAddress(nodeAddress(endpoint))).toEqual(endpoint);
  });
});

describe('SlotTable', () => {
  const halves = (first: string, second: string) => ({
    ranges: [
      { first: 0, last: 8_000, address: first },
      { first: 8_001, last: 16_383, address: second },
    ],
  });

  it('says who serves a slot, and whether other nodes serve now', () => {
    const table = new SlotTable<string>();
    expect([table.hasGap, table.at(0)]).toEqual([true, undefined]);
    expect(table.install(halves('a', 'b'), (address) => address)).toBe(true);
    expect([table.hasGap, table.at(8_000), table.at(8_001)]).toEqual([false, 'a', 'b']);
    expect(table.install(halves('b', 'a'), (address) => address)).toBe(false);
    expect(table.install(halves('b', 'c'), (address) => address)).toBe(true);
    expect([...table.owners()].toSorted()).toEqual(['b', 'c']);
  });

  it('has a gap where nobody serves', () => {
    const table = new SlotTable<string>();
    table.install({ ranges: halves('a', 'b').ranges.slice(1) }, (address) => address);
    expect([table.hasGap, table.at(8_000)]).toEqual([true, undefined]);
    table.install(halves('a', 'b'), (address) => (address === 'a' ? undefined : address));
    expect(table.hasGap).toBe(true);
  });

  it('begins another generation with each change, and only then', () => {
    const table = new SlotTable<string>();
    table.install(halves('a', 'b'), (address) => address);
    const { generation } = table;
    table.install(halves('a', 'b'), (address) => address);
    table.move(0, 'a');
    expect(table.generation).toBe(generation);
    table.move(0, 'b');
    expect(table.generation).toBe(generation + 1);
    table.install(halves('a', 'b'), (address) => address);
    expect([table.generation, table.at(0)]).toEqual([generation + 2, 'a']);
  });
});
