import { describe, expect, it } from 'vitest';
import { readContentRange } from '../../src/http/content-range.js';

describe('Content-Range of a chunk', () => {
  it.each([
    ['bytes 0-9/100', [0, 9]],
    ['bytes 99-99/100', [99, 99]],
    ['Bytes 0-99/*', [0, 99]],
    [' bytes 1-2/100 ', [1, 2]],
  ])('%j', (header, range) => {
    expect(readContentRange(header, 100)).toEqual(range);
  });

  it.each([
    [undefined, 400],
    ['', 400],
    ['bytes 0-9', 400],
    ['bytes=0-9/100', 400],
    ['bytes */100', 400],
    ['items 0-9/100', 400],
    ['bytes 9-0/100', 400],
    ['bytes -5/100', 400],
    ['bytes 0-9999999999999999/100', 400],
    ['bytes 0-9/99', 422],
    ['bytes 0-100/100', 416],
    ['bytes 100-200/*', 416],
  ])('refuses %j with %i', (header, status) => {
    expect(() => readContentRange(header, 100)).toThrow(expect.objectContaining({ statusCode: status }));
  });

  it('refuses more than 16 MiB at once', () => {
    const size = 2 ** 30;
    expect(readContentRange(`bytes 0-${2 ** 24 - 1}/${size}`, size)).toEqual([0, 2 ** 24 - 1]);
    expect(() => readContentRange(`bytes 0-${2 ** 24}/${size}`, size)).toThrow(
      expect.objectContaining({ statusCode: 413 }),
    );
  });
});
