import { defineOperations, type Operations } from '../operation.js';
import type { OwnersPort } from './owners-port.js';

/** Who is alive cannot be known without Redis, and nothing may be taken over then. */
export const ownersOperations: Operations<OwnersPort> = defineOperations<OwnersPort>('owners', 'state', {
  renew: { kind: 'idempotent', away: 'refuse' },
  hold: { kind: 'idempotent', away: 'refuse' },
  release: { kind: 'idempotent', away: 'refuse' },
  restore: { kind: 'idempotent', away: 'refuse' },
  takeOver: { kind: 'idempotent', away: 'refuse' },
  leave: { kind: 'idempotent', away: 'refuse' },
  list: { kind: 'read', away: 'refuse' },
  orphans: { kind: 'read', away: 'refuse' },
});
