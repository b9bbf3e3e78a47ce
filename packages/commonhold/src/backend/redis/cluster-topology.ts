import { slotCount } from './slot.js';

/** Which master serves each range of slots. */
export interface ClusterTopology {
  readonly ranges: readonly SlotRange[];
}

/** How many slots have a master. */
export function servedSlots({ ranges }: ClusterTopology): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
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
 * `askedHost` then. One that was told to announce a name, and was given none, has its address beside.
 * @throws Error for what is no such reply.
 */
export function parseTopology(reply: unknown, askedHost: string): ClusterTopology {
  if (!Array.isArray(reply)) throw new Error('CLUSTER SLOTS was not answered with a list');
  return { ranges: reply.map((range: unknown) => parseRange(range, askedHost)) };
}

function parseRange(range: unknown, askedHost: string): SlotRange {
  const [first, last, master] = Array.isArray(range) ? (range as unknown[]) : [];
  const [host, port, , more] = Array.isArray(master) ? (master as unknown[]) : [];
  if (!isSlot(first) || !isSlot(last) || typeof port !== 'number')
    throw new Error('CLUSTER SLOTS has an unreadable range');
  return { first, last, address: nodeAddress({ host: known(host) ?? known(addressIn(more)) ?? askedHost, port }) };
}

// '?' stands for a name that was to be announced and is not known.
function known(host: unknown): string | undefined {
  return typeof host === 'string' && host !== '' && host !== '?' ? host : undefined;
}

function addressIn(more: unknown): unknown {
  return Array.isArray(more) ? (more as unknown[])[more.indexOf('ip') + 1] : undefined;
}

function isSlot(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < slotCount;
}
