import type { RateLimitPolicy } from './policy.js';
import type { RateLimitVerdict } from './verdict.js';

/**
 * Header fields for a verdict, by draft-ietf-httpapi-ratelimit-headers-11, one item for each rule:
 * `RateLimit-Policy: "login/1s";q=5;w=1, "login/1h";q=100;w=3600`, `RateLimit: "login/1s";r=4;t=1, "login/1h";r=0;t=123`
 * and, for a hit refused for a time, `Retry-After: 123`. Seconds are rounded up, so that a client that waits as told is not
 * early. A verdict without policies, by a list, has no fields.
 */
export function rateLimitHeaders(
  verdict: Pick<RateLimitVerdict, 'allowed' | 'retryAfterMs' | 'policies'>,
): Record<string, string> {
  const { policies } = verdict;
  const headers: Record<string, string> = {};
  if (policies.length > 0) {
    headers['RateLimit-Policy'] = list(policies, ({ limit, windowMs }) => `q=${limit};w=${seconds(windowMs)}`);
    headers['RateLimit'] = list(policies, ({ remaining, resetMs }) => `r=${remaining};t=${seconds(resetMs)}`);
  }
  if (!verdict.allowed && verdict.retryAfterMs < Infinity) headers['Retry-After'] = `${seconds(verdict.retryAfterMs)}`;
  return headers;
}

function list<Policy extends RateLimitPolicy>(policies: readonly Policy[], parameters: (of: Policy) => string): string {
  return policies.map((policy) => `${quote(policy.name)};${parameters(policy)}`).join(', ');
}

// A String of RFC 9651 holds visible ASCII and spaces only.
function quote(name: string): string {
  const ascii = name.replace(/[^ -~]+/g, (part) => encodeURIComponent(part.toWellFormed()));
  return `"${ascii.replace(/["\\]/g, '\\$&')}"`;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
