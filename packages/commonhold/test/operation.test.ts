import { describe, expect, it } from 'vitest';
import { defineOperations } from '../src/operation.js';

interface Port {
  get(): Promise<void>;
  set(): Promise<void>;
}

describe('defineOperations', () => {
  it('names each operation after its feature and method, and gives it the deadline of the feature', () => {
    expect(
      defineOperations<Port>('cache', 'cache', {
        get: { kind: 'read', away: 'stale' },
        set: { kind: 'mutation', away: 'refuse' },
      }),
    ).toEqual({
      get: { name: 'cache.get', kind: 'read', away: 'stale', deadline: 'cache' },
      set: { name: 'cache.set', kind: 'mutation', away: 'refuse', deadline: 'cache' },
    });
  });
});
