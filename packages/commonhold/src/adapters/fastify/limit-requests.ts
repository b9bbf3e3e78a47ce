import type { FastifyReply, FastifyRequest } from 'fastify';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { RateLimit } from '../../rate-limit/rate-limit.js';
import { admit } from '../http/admission.js';
import { checkIpv6Prefix, clientNetwork, defaultIpv6Prefix } from '../http/client-network.js';
import { replyHeaders, replyProblem } from './reply-headers.js';

/** Options of `limitRequests`. */
export interface LimitRequestsOptions {
  /** Whom to count a request for: any non-empty text. Default: the network of `request.ip`; see Fastify's `trustProxy`. */
  readonly subject?: (request: FastifyRequest) => string | Promise<string>;
  /** How many bits of an IPv6 address name the client's network, 1 to 128. Default 64. */
  readonly ipv6Prefix?: number;
}

/** A hook for a route's or a plugin's `onRequest` or `preHandler`. */
export type LimitRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

const optionNames = { subject: true, ipv6Prefix: true } satisfies OptionNames<LimitRequestsOptions>;

/**
 * Counts requests against `limit`. As `onRequest` it counts every request, also one whose body or schema Fastify refuses;
 * as `preHandler` it counts those that reach the handler, and `subject` can see the body. Every answer tells the limit by
 * the headers `RateLimit` and `RateLimit-Policy`. A request too many is answered 429 with `Retry-After`, and any request
 * 503 while the store is away, both as `application/problem+json`.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function limitRequests(limit: RateLimit, options: LimitRequestsOptions = {}): LimitRequest {
  checkOptionNames('limitRequests', options, optionNames);
  const ipv6Prefix = checkIpv6Prefix(options.ipv6Prefix ?? defaultIpv6Prefix);
  // Fastify knows no address on a Unix socket; such clients share a count.
  const byNetwork = ({ ip }: { readonly ip: string | undefined }): string =>
    clientNetwork(ip ?? '', ipv6Prefix) || 'unknown';
  const { subject = byNetwork } = options;
  return async (request, reply) => {
    const problem = await admit(limit, await subject(request), replyHeaders(reply));
    return problem === undefined ? undefined : replyProblem(reply, problem);
  };
}
