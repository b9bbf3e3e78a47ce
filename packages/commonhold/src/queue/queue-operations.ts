import { defineOperations, type Operations } from '../operation.js';
import type { QueuePort } from './queue-port.js';

/**
 * Nothing is acknowledged that is not stored. `turn` may be sent again after an unknown outcome: ended jobs are then
 * superseded by themselves, and the worker is told what it holds.
 */
export const queueOperations: Operations<QueuePort> = defineOperations<QueuePort>('queue', 'state', {
  add: { kind: 'mutation', away: 'spool' },
  turn: { kind: 'mutation', away: 'refuse' },
  renew: { kind: 'idempotent', away: 'refuse' },
  leave: { kind: 'idempotent', away: 'refuse' },
  progress: { kind: 'idempotent', away: 'refuse' },
  get: { kind: 'read', away: 'refuse' },
  list: { kind: 'read', away: 'refuse' },
  deadLetters: { kind: 'read', away: 'refuse' },
  cancel: { kind: 'idempotent', away: 'refuse' },
  retry: { kind: 'idempotent', away: 'refuse' },
  counts: { kind: 'read', away: 'refuse' },
  totals: { kind: 'read', away: 'refuse' },
  days: { kind: 'read', away: 'refuse' },
  pause: { kind: 'idempotent', away: 'refuse' },
});
