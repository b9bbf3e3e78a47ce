import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import { InvalidArgumentError } from '../../errors.js';
import { parseAddress } from './ip-address.js';

/**
 * The proxies whose word about a client is taken. Anybody can send `X-Forwarded-For` and `X-Forwarded-Proto`; only what a
 * trusted proxy adds to them is true.
 */
export class TrustedProxies {
  readonly #ranges = new BlockList();

  /**
   * @param ranges addresses and CIDR ranges, such as `10.0.0.0/8`, `127.0.0.1` or `fd00::/8`. None: nobody is trusted.
   * @throws InvalidArgumentError for anything else.
   */
  constructor(ranges: readonly string[] = []) {
    if (!Array.isArray(ranges)) throw new InvalidArgumentError('trustedProxies', 'a list of address ranges', ranges);
    for (const range of ranges) this.#add(range);
  }

  /** Whether `address` is that of a trusted proxy. A Unix socket has no address, and is not. */
  includes(address: string | undefined): boolean {
    const parsed = address === undefined ? undefined : parseAddress(address);
    return parsed !== undefined && this.#ranges.check(parsed.text, parsed.family);
  }

  #add(range: string): void {
    const [, text = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(range) ?? [];
    const address = parseAddress(text);
    const longest = address?.family === 'ipv4' ? 32 : 128;
    const prefix = bits === undefined ? longest : Number(bits);
    if (address === undefined || prefix > longest) {
      throw new InvalidArgumentError('trustedProxies', 'addresses and ranges such as "10.0.0.0/8" or "::1"', range);
    }
    this.#ranges.addSubnet(address.text, prefix, address.family);
  }
}

/**
 * The address that a request came from. While it is that of a trusted proxy, the last entry of `X-Forwarded-For` that was
 * not looked at yet says who came before; so an entry that the client itself made up is never reached. Where a proxy says
 * nothing that can be read, it stands for its clients. Empty when the connection has no address, as on a Unix socket.
 */
export function clientAddress(request: IncomingMessage, proxies: TrustedProxies): string {
  const peer = request.socket.remoteAddress ?? '';
  const forwarded = headerOf(request, 'x-forwarded-for').split(',');
  let client = parseAddress(peer)?.text ?? peer;
  while (proxies.includes(client)) {
    const before = parseAddress(forwarded.pop() ?? '');
    if (before === undefined) break;
    client = before.text;
  }
  return client;
}

/** Whether the client came over TLS: to us, or to the trusted proxy before us as its `X-Forwarded-Proto` says. */
export function cameOverTls(request: IncomingMessage, proxies: TrustedProxies): boolean {
  const forwarded = headerOf(request, 'x-forwarded-proto').split(',').at(-1)?.trim() ?? '';
  if (forwarded !== '' && proxies.includes(request.socket.remoteAddress)) return forwarded.toLowerCase() === 'https';
  return 'encrypted' in request.socket && request.socket.encrypted === true;
}

function headerOf(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? '');
}
