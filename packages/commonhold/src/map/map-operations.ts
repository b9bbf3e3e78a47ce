import { defineOperations, type Operations } from '../operation.js';
import type { MapEntryPort, MapPort } from './map-port.js';

/**
 * Without Redis what was last seen is served, marked as stale, and writes are noted for later. Whether a key is absent,
 * and what all entries are, cannot be known then.
 */
export const mapOperations: Operations<MapPort> = defineOperations<MapPort>('map', 'state', {
  get: { kind: 'read', away: 'stale' },
  getEntry: { kind: 'read', away: 'stale' },
  getMany: { kind: 'read', away: 'stale' },
  has: { kind: 'read', away: 'stale' },
  set: { kind: 'idempotent', away: 'journal' },
  add: { kind: 'mutation', away: 'refuse' },
  replace: { kind: 'mutation', away: 'journal' },
  delete: { kind: 'idempotent', away: 'journal' },
  touch: { kind: 'idempotent', away: 'journal' },
  count: { kind: 'read', away: 'refuse' },
  clear: { kind: 'idempotent', away: 'refuse' },
  page: { kind: 'read', away: 'refuse' },
});

/** The same for the documented layout. */
export const plainMapOperations: Operations<MapEntryPort> = defineOperations<MapEntryPort>('plainMap', 'state', {
  get: { kind: 'read', away: 'stale' },
  getEntry: { kind: 'read', away: 'stale' },
  getMany: { kind: 'read', away: 'stale' },
  has: { kind: 'read', away: 'stale' },
  set: { kind: 'idempotent', away: 'journal' },
  add: { kind: 'mutation', away: 'refuse' },
  replace: { kind: 'mutation', away: 'journal' },
  delete: { kind: 'idempotent', away: 'journal' },
  touch: { kind: 'idempotent', away: 'journal' },
});
