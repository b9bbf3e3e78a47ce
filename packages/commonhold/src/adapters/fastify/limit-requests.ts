import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Concurrency } from '../../concurrency/concurrency.js';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { RateLimit } from '../../rate-limit/rate-limit.js';
import { admit } from '../http/admission.js';
import { checkIpv6Prefix, clientNetwork, defaultIpv6Prefix } from '../http/client-network.js';
import {
  checkRequestLimits,
  hitsOf,
  type RequestCost,
  requestCostNames,
  type RequestLimit,
} from '../http/request-limit.js';
import { occupy, type SlotWait } from '../http/slot-admission.js';
import { replyHeaders, replyProblem } from './reply-headers.js';

/** How clients are told apart: by the network of `request.ip`; see Fastify's `trustProxy`. */
export interface ClientOptions {
  /** How many bits of an IPv6 address name the client's network, 1 to 128. Default 64. */
  readonly ipv6Prefix?: number;
}

/** Options of `limitRequests`. */
export type LimitRequestsOptions = ClientOptions & RequestCost<FastifyRequest>;

/** Options of `limitConcurrency`. */
export type LimitConcurrencyOptions = ClientOptions & Pick<RequestCost<FastifyRequest>, 'subject'> & SlotWait;

/** A hook for a route's or a plugin's `onRequest` or `preHandler`. */
export type LimitRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

const clientNames = { ipv6Prefix: true } satisfies OptionNames<ClientOptions>;
const optionNames = { ...clientNames, ...requestCostNames } satisfies OptionNames<LimitRequestsOptions>;
const slotNames = { ...clientNames, subject: true, wait: true } satisfies OptionNames<LimitConcurrencyOptions>;

/**
 * Counts requests against `limit`. As `onRequest` it counts every request, also one whose body or schema Fastify refuses;
 * as `preHandler` it counts those that reach the handler, and `subject` can see the body. Every answer tells its rules by
 * the headers `RateLimit` and `RateLimit-Policy`. A request too many is answered 429 with `Retry-After`, one of a denied
 * subject 403, and any request 503 while the store is away, all as `application/problem+json`.
 *
 * Given several limits, each with a subject of its own, a request counts under all or none, as by `consumeAll`.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function limitRequests(limit: RateLimit, options?: LimitRequestsOptions): LimitRequest;
export function limitRequests(limits: readonly RequestLimit<FastifyRequest>[], options?: ClientOptions): LimitRequest;
export function limitRequests(
  given: RateLimit | readonly RequestLimit<FastifyRequest>[],
  options: LimitRequestsOptions = {},
): LimitRequest {
  const several = isList(given);
  checkOptionNames(
    'limitRequests',
    options,
    several ? (clientNames as OptionNames<LimitRequestsOptions>) : optionNames,
  );
  const { ipv6Prefix: _prefix, ...cost } = options;
  const limits = several ? given : [{ limit: given, ...cost }];
  checkRequestLimits(limits);
  const byNetwork = networkOf(options);
  return async (request, reply) => {
    const problem = await admit(await hitsOf(limits, request, byNetwork), replyHeaders(reply));
    return problem === undefined ? undefined : replyProblem(reply, problem);
  };
}

/**
 * Lets only so many requests of a client be under way at once. A request holds its slot until its answer has been sent or its
 * connection is gone. One too many is answered 429, and any 503 while the store is away, both as `application/problem+json`.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function limitConcurrency(limit: Concurrency, options: LimitConcurrencyOptions = {}): LimitRequest {
  checkOptionNames('limitConcurrency', options, slotNames);
  const { subject = networkOf(options), ipv6Prefix: _prefix, ...wait } = options;
  return async (request, reply) => {
    const problem = await occupy(limit, await subject(request), reply.raw, wait);
    return problem === undefined ? undefined : replyProblem(reply, problem);
  };
}

// Fastify knows no address on a Unix socket; such clients share a count.
function networkOf(options: ClientOptions): (request: { readonly ip: string | undefined }) => string {
  const ipv6Prefix = checkIpv6Prefix(options.ipv6Prefix ?? defaultIpv6Prefix);
  return ({ ip }) => clientNetwork(ip ?? '', ipv6Prefix) || 'unknown';
}

function isList<Item>(given: RateLimit | readonly Item[]): given is readonly Item[] {
  return Array.isArray(given);
}
