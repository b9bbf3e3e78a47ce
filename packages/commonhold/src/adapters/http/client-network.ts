import { InvalidArgumentError } from '../../errors.js';
import { parseAddress } from './ip-address.js';

/** Whoever has one IPv6 address has, as a rule, all of its /64. */
export const defaultIpv6Prefix = 64;

/**
 * The name under which to count a client by its address, such as for a limit: an IPv4 address is itself, also where it is
 * written as IPv6; an IPv6 address is its network of `ipv6Prefix` bits.
 *
 * @param address such as `request.ip` of Fastify or {@link clientAddress} give it. What is no address comes back as it is.
 * @param ipv6Prefix 1 to 128, by default 64. Some providers give each customer a /56.
 */
export function clientNetwork(address: string, ipv6Prefix: number = defaultIpv6Prefix): string {
  const parsed = parseAddress(address);
  if (parsed === undefined) return address;
  if (parsed.family === 'ipv4') return parsed.text;
  const groups = parsed.groups.slice(0, Math.ceil(ipv6Prefix / 16));
  const bitsBeyond = groups.length * 16 - ipv6Prefix;
  const last = groups.pop() ?? 0;
  groups.push((last >> bitsBeyond) << bitsBeyond);
  const rest = groups.length < 8 ? '::' : '';
  return `${groups.map((group) => group.toString(16)).join(':')}${rest}/${ipv6Prefix}`;
}

/** @throws InvalidArgumentError unless `bits` is a whole number from 1 to 128. */
export function checkIpv6Prefix(bits: number): number {
  if (Number.isInteger(bits) && bits >= 1 && bits <= 128) return bits;
  throw new InvalidArgumentError('ipv6Prefix', 'a whole number of bits from 1 to 128', bits);
}
