import { slotCount } from './slot.js';

/** Which master serves each range of slots. */
export interface ClusterTopology {
  readonly ranges: readonly SlotRange[];
}

/** Slots `first` to `last`, both included, and the `host:port` of their master. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly address: string;
}

/** `host:port`, by which nodes are told apart. */
export function nodeAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}

/** The parts of {@link nodeAddress}. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/**
 * Reads the reply of CLUSTER SLOTS. A node that does not know by which name it can be reached says nothing: it is at
 * `askedHost` then.
 * @throws Error for what is no such reply.
 */
export function parseTopology(reply: unknown, askedHost: string): ClusterTopology {
  if (!Array.isArray(reply)) throw new Error('CLUSTER SLOTS was not answered with a list');
  return { ranges: reply.map((range: unknown) => parseRange(range, askedHost)) };
}

function parseRange(range: unknown, askedHost: string): SlotRange {
  const [first, last, master] = Array.isArray(range) ? (range as unknown[]) : [];
  const [host, port] = Array.isArray(master) ? (master as unknown[]) : [];
  if (!isSlot(first) || !isSlot(last) || typeof port !== 'number')
    throw new Error('CLUSTER SLOTS has an unreadable range');
  // '?' stands for a host name that the cluster was told to announce and does not know.
  const known = typeof host === 'string' && host !== '' && host !== '?';
  return { first, last, address: nodeAddress({ host: known ? host : askedHost, port }) };
}

function isSlot(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < slotCount;
}
