import { defineOperations, type Operations } from '../operation.js';
import type { CachePort } from './cache-port.js';

/** A cache may forget, so without Redis it serves what it has, or computes; what is removed is noted. */
export const cacheOperations: Operations<CachePort> = defineOperations<CachePort>('cache', 'cache', {
  get: { kind: 'read', away: 'stale' },
  getMany: { kind: 'read', away: 'stale' },
  read: { kind: 'read', away: 'stale' },
  set: { kind: 'idempotent', away: 'miss' },
  setMany: { kind: 'idempotent', away: 'miss' },
  replace: { kind: 'idempotent', away: 'miss' },
  delete: { kind: 'idempotent', away: 'journal' },
  expire: { kind: 'idempotent', away: 'journal' },
  claim: { kind: 'idempotent', away: 'miss' },
  fulfil: { kind: 'idempotent', away: 'miss' },
  abandon: { kind: 'idempotent', away: 'miss' },
  hold: { kind: 'idempotent', away: 'miss' },
  marks: { kind: 'idempotent', away: 'miss' },
  mark: { kind: 'idempotent', away: 'journal' },
  clear: { kind: 'idempotent', away: 'refuse' },
});
