import { describe, expect, it } from 'vitest';
import { readOpened } from '../../src/session/redis-session-record.js';

describe('a session as Redis tells it', () => {
  it('takes no field of a live session for a token that came back, whatever comes first', () => {
    // A large hash tells its fields in any order.
    const flat = ['u', 'reused', 'c', '1', 'l', '1', 'a', '9', 'v', '1', 's', '0'];
    expect(readOpened('i', flat)).toMatchObject({ id: 'i', user: 'reused' });
    expect(readOpened('i', ['x', 'reused', 'n', 'j', 'u', ''])).toEqual({ reused: 'j', user: undefined });
  });
});
