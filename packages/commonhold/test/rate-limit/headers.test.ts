import { describe, expect, it } from 'vitest';
import { rateLimitHeaders } from '../../src/rate-limit/headers.js';
import type { PolicyVerdict } from '../../src/rate-limit/verdict.js';

const enroll: PolicyVerdict = {
  name: 'enroll',
  limit: 5,
  windowMs: 3_600_000,
  remaining: 4,
  resetMs: 3_600_000,
  retryAfterMs: 0,
};

describe('rate limit headers', () => {
  it('tell an admitted client its policy and what is left', () => {
    expect(rateLimitHeaders({ allowed: true, retryAfterMs: 0, policies: [enroll] })).toEqual({
      'RateLimit-Policy': '"enroll";q=5;w=3600',
      RateLimit: '"enroll";r=4;t=3600',
    });
  });

  it('tell a refused client when to come back, never too early', () => {
    const policies = [{ ...enroll, remaining: 0, resetMs: 122_001, retryAfterMs: 122_001 }];
    expect(rateLimitHeaders({ allowed: false, retryAfterMs: 122_001, policies })).toEqual({
      'RateLimit-Policy': '"enroll";q=5;w=3600',
      RateLimit: '"enroll";r=0;t=123',
      'Retry-After': '123',
    });
  });

  it('have one item for each policy, in one order', () => {
    const burst = { ...enroll, name: 'enroll/1s', limit: 1, windowMs: 1_000, remaining: 0, resetMs: 900 };
    expect(rateLimitHeaders({ allowed: true, retryAfterMs: 0, policies: [burst, enroll] })).toEqual({
      'RateLimit-Policy': '"enroll/1s";q=1;w=1, "enroll";q=5;w=3600',
      RateLimit: '"enroll/1s";r=0;t=1, "enroll";r=4;t=3600',
    });
  });

  it('say nothing of a subject that a list denies: there is no time to come back', () => {
    expect(rateLimitHeaders({ allowed: false, retryAfterMs: Infinity, policies: [] })).toEqual({});
  });

  it('round a window below a second up to one', () => {
    const policies = [{ ...enroll, windowMs: 500, remaining: 5, resetMs: 0 }];
    const headers = rateLimitHeaders({ allowed: true, retryAfterMs: 0, policies });
    expect(headers).toEqual({ 'RateLimit-Policy': '"enroll";q=5;w=1', RateLimit: '"enroll";r=5;t=0' });
  });

  it.each([
    ['a"b\\c', String.raw`"a\"b\\c"`],
    ['größe\r\nSet-Cookie: x', '"gr%C3%B6%C3%9Fe%0D%0ASet-Cookie: x"'],
  ])('quote the name %j', (name, quoted) => {
    const policies = [{ ...enroll, name, resetMs: 0 }];
    expect(rateLimitHeaders({ allowed: true, retryAfterMs: 0, policies })['RateLimit']).toBe(`${quoted};r=4;t=0`);
  });
});
