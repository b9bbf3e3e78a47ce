import { describe, expect, it } from 'vitest';
import { rateLimitHeaders } from '../../src/rate-limit/headers.js';

const policy = { name: 'enroll', limit: 5, windowMs: 3_600_000 };

describe('rate limit headers', () => {
  it('tell an admitted client its policy and what is left', () => {
    const verdict = { allowed: true, limit: 5, remaining: 4, resetMs: 3_600_000, retryAfterMs: 0 };
    expect(rateLimitHeaders(verdict, policy)).toEqual({
      'RateLimit-Policy': '"enroll";q=5;w=3600',
      RateLimit: '"enroll";r=4;t=3600',
    });
  });

  it('tell a refused client when to come back, never too early', () => {
    const verdict = { allowed: false, limit: 5, remaining: 0, resetMs: 122_001, retryAfterMs: 122_001 };
    expect(rateLimitHeaders(verdict, policy)).toEqual({
      'RateLimit-Policy': '"enroll";q=5;w=3600',
      RateLimit: '"enroll";r=0;t=123',
      'Retry-After': '123',
    });
  });

  it('round a window below a second up to one', () => {
    const verdict = { allowed: true, limit: 5, remaining: 5, resetMs: 0, retryAfterMs: 0 };
    const headers = rateLimitHeaders(verdict, { ...policy, windowMs: 500 });
    expect(headers).toEqual({ 'RateLimit-Policy': '"enroll";q=5;w=1', RateLimit: '"enroll";r=5;t=0' });
  });

  it.each([
    ['a"b\\c', String.raw`"a\"b\\c"`],
    ['größe\r\nSet-Cookie: x', '"gr%C3%B6%C3%9Fe%0D%0ASet-Cookie: x"'],
  ])('quote the name %j', (name, quoted) => {
    const verdict = { allowed: true, limit: 5, remaining: 5, resetMs: 0, retryAfterMs: 0 };
    expect(rateLimitHeaders(verdict, { ...policy, name })['RateLimit']).toBe(`${quoted};r=5;t=0`);
  });
});
