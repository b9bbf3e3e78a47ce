import { InvalidArgumentError } from '../../errors.js';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { LimitedHit } from '../../rate-limit/consume-all.js';
import type { RateLimit } from '../../rate-limit/rate-limit.js';
import type { RateLimitRules } from '../../rate-limit/rule-set.js';

/** How a request counts under one limit. */
export interface RequestCost<Request> {
  /** Whom to count a request for: any non-empty text. Default: the client's network. */
  readonly subject?: (request: Request) => string | Promise<string>;
  /** Units that a request costs. Default 1. */
  readonly weight?: number | ((request: Request) => number | Promise<number>);
  /** The rule or rules for a request, such as those of its user's plan. Default: those of the limit. */
  readonly rule?: (request: Request) => RateLimitRules | undefined | Promise<RateLimitRules | undefined>;
}

/** One of several limits under which a request counts, or under none. */
export interface RequestLimit<Request> extends RequestCost<Request> {
  readonly limit: RateLimit;
}

/** Names of {@link RequestCost}'s options. */
export const requestCostNames: OptionNames<RequestCost<unknown>> = { subject: true, weight: true, rule: true };
const requestLimitNames: OptionNames<RequestLimit<unknown>> = { ...requestCostNames, limit: true };

/** @throws InvalidArgumentError for an empty list, or naming the option that is wrong. */
export function checkRequestLimits<Request>(limits: readonly RequestLimit<Request>[]): void {
  if (limits.length === 0) throw new InvalidArgumentError('limitRequests', 'at least one limit', 'none');
  for (const limit of limits) checkOptionNames('limitRequests, limit', limit, requestLimitNames);
}

/** What `request` costs under each limit; `byNetwork` is its subject where a limit names none. */
export function hitsOf<Request>(
  limits: readonly RequestLimit<Request>[],
  request: Request,
  byNetwork: (request: Request) => string,
): Promise<LimitedHit[]> {
  return Promise.all(limits.map((limit) => hitOf(limit, request, byNetwork)));
}

async function hitOf<Request>(
  { limit, subject, weight, rule }: RequestLimit<Request>,
  request: Request,
  byNetwork: (request: Request) => string,
): Promise<LimitedHit> {
  const units = typeof weight === 'function' ? await weight(request) : weight;
  const rules = await rule?.(request);
  return {
    limit,
    subject: await (subject ?? byNetwork)(request),
    ...(units === undefined ? {} : { weight: units }),
    ...(rules === undefined ? {} : { rule: rules }),
  };
}
