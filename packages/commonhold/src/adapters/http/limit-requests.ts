import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Concurrency } from '../../concurrency/concurrency.js';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { RateLimit } from '../../rate-limit/rate-limit.js';
import { admit } from './admission.js';
import { checkIpv6Prefix, clientNetwork, defaultIpv6Prefix } from './client-network.js';
import { sendProblem } from './problem.js';
import { checkRequestLimits, hitsOf, type RequestCost, requestCostNames, type RequestLimit } from './request-limit.js';
import { nodeHeaders } from './response-headers.js';
import { occupy, type SlotWait } from './slot-admission.js';
import { clientAddress, TrustedProxies } from './trusted-proxies.js';

/** How clients are told apart. */
export interface ClientOptions {
  /** Proxies whose `X-Forwarded-For` names the client: addresses and CIDR ranges. Default none. */
  readonly trustedProxies?: readonly string[];
  /** How many bits of an IPv6 address name the client's network, 1 to 128. Default 64. */
  readonly ipv6Prefix?: number;
}

/** Options of `limitRequests`. */
export type LimitRequestsOptions = ClientOptions & RequestCost<IncomingMessage>;

/** Options of `limitConcurrency`. */
export type LimitConcurrencyOptions = ClientOptions & Pick<RequestCost<IncomingMessage>, 'subject'> & SlotWait;

/** Resolves to whether the request may go on; where not, it has been answered. */
export type LimitRequest = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

const clientNames = { trustedProxies: true, ipv6Prefix: true } satisfies OptionNames<ClientOptions>;
const optionNames = { ...clientNames, ...requestCostNames } satisfies OptionNames<LimitRequestsOptions>;
const slotNames = { ...clientNames, subject: true, wait: true } satisfies OptionNames<LimitConcurrencyOptions>;

/**
 * Counts requests against `limit`, for Node's own HTTP and HTTPS servers. Every answer tells its rules by the headers
 * `RateLimit` and `RateLimit-Policy`. A request too many is answered 429 with `Retry-After`, one of a denied subject 403, and
 * any request 503 while the store is away, all as `application/problem+json`. A request counts when it is asked about, whatever
 * becomes of it.
 *
 * Given several limits, each with a subject of its own, a request counts under all or none, as by `consumeAll`.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function limitRequests(limit: RateLimit, options?: LimitRequestsOptions): LimitRequest;
export function limitRequests(limits: readonly RequestLimit<IncomingMessage>[], options?: ClientOptions): LimitRequest;
export function limitRequests(
  given: RateLimit | readonly RequestLimit<IncomingMessage>[],
  options: LimitRequestsOptions = {},
): LimitRequest {
  const several = isList(given);
  checkOptionNames(
    'limitRequests',
    options,
    several ? (clientNames as OptionNames<LimitRequestsOptions>) : optionNames,
  );
  const { trustedProxies: _proxies, ipv6Prefix: _prefix, ...cost } = options;
  const limits = several ? given : [{ limit: given, ...cost }];
  checkRequestLimits(limits);
  const byNetwork = networkOf(options);
  return async (request, response) => {
    const problem = await admit(await hitsOf(limits, request, byNetwork), nodeHeaders(response));
    if (problem !== undefined) sendProblem(response, problem);
    return problem === undefined;
  };
}

/**
 * Lets only so many requests of a client be under way at once. A request holds its slot until its answer has been sent or its
 * connection is gone. One too many is answered 429, and any 503 while the store is away, both as `application/problem+json`.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function limitConcurrency(limit: Concurrency, options: LimitConcurrencyOptions = {}): LimitRequest {
  checkOptionNames('limitConcurrency', options, slotNames);
  const { subject = networkOf(options), trustedProxies: _proxies, ipv6Prefix: _prefix, ...wait } = options;
  return async (request, response) => {
    const problem = await occupy(limit, await subject(request), response, wait);
    if (problem !== undefined) sendProblem(response, problem);
    return problem === undefined;
  };
}

// Clients without an address share a count.
function networkOf(options: ClientOptions): (request: IncomingMessage) => string {
  const proxies = new TrustedProxies(options.trustedProxies);
  const ipv6Prefix = checkIpv6Prefix(options.ipv6Prefix ?? defaultIpv6Prefix);
  return (request) => clientNetwork(clientAddress(request, proxies), ipv6Prefix) || 'unknown';
}

function isList<Item>(given: RateLimit | readonly Item[]): given is readonly Item[] {
  return Array.isArray(given);
}
