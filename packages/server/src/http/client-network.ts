import { isIPv6 } from 'node:net';

/**
 * The name under which to count a client by its address, such as for a limit: an IPv4 address is itself, also where it is
 * written as IPv6; an IPv6 address is its /64, since whoever has one address has all of those.
 *
 * @param address as `request.ip` gives it. What is no address comes back as it is.
 */
export function clientNetwork(address: string): string {
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const groups = groupsOf(plain);
  const [high = 0, low = 0] = groups.slice(6);
  if (isMapped(groups)) return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** `::ffff:1.2.3.4`, which a socket that takes both versions shows for IPv4 clients. */
function isMapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
}

function groupsOf(address: string): number[] {
  // A URL writes any IPv6 address in one way: lower case, no dotted part.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = canonical.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}
