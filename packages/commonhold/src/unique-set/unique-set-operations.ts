import { defineOperations, type Operations } from '../operation.js';
import type { UniqueSetPort } from './unique-set-port.js';

/** Without Redis additions are noted and united on return; what takes away would be undone by that, so it is refused, and all members are not known. */
export const uniqueSetOperations: Operations<UniqueSetPort> = defineOperations<UniqueSetPort>('unique-set', 'state', {
  add: { kind: 'idempotent', away: 'journal' },
  has: { kind: 'read', away: 'stale' },
  hasMany: { kind: 'read', away: 'stale' },
  count: { kind: 'read', away: 'stale' },
  members: { kind: 'read', away: 'refuse' },
  delete: { kind: 'idempotent', away: 'refuse' },
  clear: { kind: 'idempotent', away: 'refuse' },
});
