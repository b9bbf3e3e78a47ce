import { describe, expect, it } from 'vitest';
import { problem } from '../../src/http/problem.js';

describe('problem', () => {
  it('has the four members, named by its status', () => {
    const { document, message, statusCode, headers } = problem(404, 'No task of yours has this id.');
    expect(document).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'No task of yours has this id.',
    });
    expect([message, statusCode, headers]).toEqual([document.detail, 404, {}]);
  });

  it('takes more, which cannot replace the standard ones', () => {
    const members = { status: 200, detail: 'other', retry_at: 5 };
    const { document, headers } = problem(429, 'Slow down.', {
      type: 'https://example.com/limit',
      title: 'Limited',
      headers: { 'Retry-After': '3' },
      members,
    });
    expect(document).toEqual({
      type: 'https://example.com/limit',
      title: 'Limited',
      status: 429,
      detail: 'Slow down.',
      retry_at: 5,
    });
    expect(headers).toEqual({ 'Retry-After': '3' });
  });

  it.each([200, 399, 600, 404.5, Number.NaN])('refuses the status %s', (status) => {
    expect(() => problem(status, 'x')).toThrow(RangeError);
  });
});
