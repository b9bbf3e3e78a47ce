import { describe, expect, it } from 'vitest';
import { compareIds, isMessageId, millisecondsOf, nextId, originId } from '../src/message-id.js';

describe('message id', () => {
  it('follows the clock, and counts on when the clock stands or goes back', () => {
    expect(nextId(originId, 1_000)).toBe('1000-0');
    expect(nextId('1000-0', 1_000)).toBe('1000-1');
    expect(nextId('1000-9', 999)).toBe('1000-10');
    expect(nextId('1000-9', 1_001)).toBe('1001-0');
  });

  it('is ordered by number, not by text', () => {
    const sorted = ['0-0', '9-9', '9-10', '10-0', '10-2'];
    expect(sorted.toReversed().toSorted(compareIds)).toEqual(sorted);
    expect(compareIds('7-7', '7-7')).toBe(0);
    expect(millisecondsOf('12-3')).toBe(12);
  });

  it('is recognised', () => {
    expect(['0-0', '1700000000000-3'].every(isMessageId)).toBe(true);
    expect(['', '1', '1-', '-1', '1-1-1', '1-1\n', ' 1-1', '$', '+', 1, null].some(isMessageId)).toBe(false);
  });
});
