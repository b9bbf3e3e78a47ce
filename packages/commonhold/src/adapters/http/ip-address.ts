import { isIPv4, isIPv6 } from 'node:net';

/** An address in one spelling, so that equal ones compare equal. */
export interface IpAddress {
  /** `ipv4` also for an IPv4 address that is written as IPv6, as a socket that takes both versions shows it. */
  readonly family: 'ipv4' | 'ipv6';
  /** Without port, brackets and zone. */
  readonly text: string;
  /** The eight groups of an IPv6 address; none for IPv4. */
  readonly groups: readonly number[];
}

/** Reads an address, also with a port or in brackets as some proxies forward it; undefined for anything else. */
export function parseAddress(text: string): IpAddress | undefined {
  const bare = withoutPort(text.trim());
  if (isIPv4(bare)) return { family: 'ipv4', text: bare, groups: [] };
  const [plain = ''] = bare.split('%');
  if (!isIPv6(plain)) return undefined;
  const groups = groupsOf(plain);
  const mapped = mappedIPv4(groups);
  return mapped === undefined
    ? { family: 'ipv6', text: plain.toLowerCase(), groups }
    : { family: 'ipv4', text: mapped, groups: [] };
}

function withoutPort(text: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d*)?|([\d.]+):\d+)$/.exec(text) ?? [];
  return bracketed ?? dotted ?? text;
}

/** The IPv4 address in `::ffff:1.2.3.4`. */
function mappedIPv4(groups: readonly number[]): string | undefined {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : undefined;
}

function groupsOf(address: string): number[] {
  // A URL writes any IPv6 address in one way: lower case, no dotted part.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = canonical.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}
