import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { RateLimit } from '../../rate-limit/rate-limit.js';
import { admit } from './admission.js';
import { checkIpv6Prefix, clientNetwork, defaultIpv6Prefix } from './client-network.js';
import { sendProblem } from './problem.js';
import { nodeHeaders } from './response-headers.js';
import { clientAddress, TrustedProxies } from './trusted-proxies.js';

/** Options of `limitRequests`. */
export interface LimitRequestsOptions {
  /** Whom to count a request for: any non-empty text. Default: the client's network. */
  readonly subject?: (request: IncomingMessage) => string | Promise<string>;
  /** Proxies whose `X-Forwarded-For` names the client: addresses and CIDR ranges. Default none. */
  readonly trustedProxies?: readonly string[];
  /** How many bits of an IPv6 address name the client's network, 1 to 128. Default 64. */
  readonly ipv6Prefix?: number;
}

/** Resolves to whether the request may go on; where not, it has been answered. */
export type LimitRequest = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

const optionNames = {
  subject: true,
  trustedProxies: true,
  ipv6Prefix: true,
} satisfies OptionNames<LimitRequestsOptions>;

/**
 * Counts requests against `limit`, for Node's own HTTP and HTTPS servers. Every answer tells the limit by the headers
 * `RateLimit` and `RateLimit-Policy`. A request too many is answered 429 with `Retry-After`, and any request 503 while the
 * store is away, both as `application/problem+json`. A request counts when it is asked about, whatever becomes of it.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function limitRequests(limit: RateLimit, options: LimitRequestsOptions = {}): LimitRequest {
  checkOptionNames('limitRequests', options, optionNames);
  const proxies = new TrustedProxies(options.trustedProxies);
  const ipv6Prefix = checkIpv6Prefix(options.ipv6Prefix ?? defaultIpv6Prefix);
  // Clients without an address share a count.
  const byNetwork = (request: IncomingMessage): string =>
    clientNetwork(clientAddress(request, proxies), ipv6Prefix) || 'unknown';
  const { subject = byNetwork } = options;
  return async (request, response) => {
    const problem = await admit(limit, await subject(request), nodeHeaders(response));
    if (problem !== undefined) sendProblem(response, problem);
    return problem === undefined;
  };
}
