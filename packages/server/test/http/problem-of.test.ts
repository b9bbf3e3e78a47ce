import {
  ClosedError,
  CorruptStateError,
  InvalidArgumentError,
  MissingDependencyError,
  OutcomeUnknownError,
  OverloadedError,
  UnavailableError,
  UnknownFormError,
  ValueTooLargeError,
} from 'commonhold';
import { describe, expect, it } from 'vitest';
import { problem } from '../../src/http/problem.js';
import { problemOf } from '../../src/http/problem-of.js';

describe('problemOf', () => {
  it.each([
    [new UnavailableError('session.read', 'canary'), 503],
    [new OutcomeUnknownError('counter.add', 'canary', false), 503],
    [new OverloadedError('Redis', 'canary'), 503],
    [new ClosedError('canary'), 503],
  ])('is "try again" for %s, without what is underneath', (error, status) => {
    const answer = problemOf(error);
    expect(answer).toMatchObject({ statusCode: status, headers: { 'Retry-After': '1' } });
    expect(answer?.document.detail).not.toContain('canary');
  });

  it('says whether something may have happened', () => {
    expect(problemOf(new UnavailableError('a.b', 'x'))?.message).toContain('nothing was done');
    expect(problemOf(new OutcomeUnknownError('a.b', 'x', true))?.message).toContain('may have been done');
  });

  it('blames the client for what the library refuses of it', () => {
    expect(problemOf(new InvalidArgumentError('key', 'text', ''))).toMatchObject({
      statusCode: 422,
      message: 'key: expected text, received ""',
    });
    expect(problemOf(new ValueTooLargeError('The value', '1 MiB'))?.statusCode).toBe(413);
  });

  it.each([
    new MissingDependencyError('a', 'b'),
    new UnknownFormError('a'),
    new CorruptStateError('a', 'b'),
    new Error('x'),
    new TypeError('x'),
    Object.assign(new Error('x'), { statusCode: 500 }),
    Object.assign(new Error('x'), { statusCode: '400' }),
    'text',
    null,
    undefined,
  ])('has nothing to tell about %s', (error) => {
    expect(problemOf(error)).toBeUndefined();
  });

  it('passes on problems, and what plugins say about the client', () => {
    const own = problem(409, 'Taken.');
    expect(problemOf(own)).toBe(own);
    expect(problemOf(Object.assign(new Error('too large'), { statusCode: 413 }))).toMatchObject({
      statusCode: 413,
      message: 'too large',
    });
    const multipart = { statusCode: 406, code: 'FST_INVALID_MULTIPART_CONTENT_TYPE' };
    expect(problemOf(Object.assign(new Error('not multipart'), multipart))?.statusCode).toBe(415);
  });
});
