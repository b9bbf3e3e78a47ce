import type { RateLimitVerdict } from './rate-limit-port.js';

/** What clients may be told of a limit. */
export interface RateLimitPolicy {
  readonly name: string;
  /** Units admitted in one window. */
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * Header fields for a verdict, by draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy: "enroll";q=5;w=3600`,
 * `RateLimit: "enroll";r=0;t=123` and, for a refused hit, `Retry-After: 123`. Seconds are rounded up, so that a client
 * that waits as told is not early.
 */
export function rateLimitHeaders(verdict: RateLimitVerdict, policy: RateLimitPolicy): Record<string, string> {
  const name = quote(policy.name);
  const headers: Record<string, string> = {
    'RateLimit-Policy': `${name};q=${policy.limit};w=${seconds(policy.windowMs)}`,
    RateLimit: `${name};r=${verdict.remaining};t=${seconds(verdict.resetMs)}`,
  };
  if (!verdict.allowed) headers['Retry-After'] = String(seconds(verdict.retryAfterMs));
  return headers;
}

// A String of RFC 9651 holds visible ASCII and spaces only.
function quote(name: string): string {
  const ascii = name.replace(/[^ -~]+/g, (part) => encodeURIComponent(part.toWellFormed()));
  return `"${ascii.replace(/["\\]/g, '\\$&')}"`;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
