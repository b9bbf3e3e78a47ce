import { defineOperations, type Operations } from '../operation.js';
import type { ConcurrencyPort } from './concurrency-port.js';

/** Without Redis nobody knows who runs. Asking again gives the slot that was given. */
export const concurrencyOperations: Operations<ConcurrencyPort> = defineOperations<ConcurrencyPort>(
  'concurrency',
  'state',
  {
    acquire: { kind: 'idempotent', away: 'refuse' },
    renew: { kind: 'idempotent', away: 'refuse' },
    release: { kind: 'idempotent', away: 'refuse' },
    count: { kind: 'read', away: 'refuse' },
  },
);
